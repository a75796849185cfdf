/**
 * The name, kind and signature of a declaration, in one line of text without comments:
 * `(path: string): void` of a function, `: number` of a property, `= A | B` of a type, `extends Base { a, b }` of a class.
 */
import type { SyntaxKindName, SyntaxNode, TypeScriptModule } from './typescript-module.ts';

/** What a symbol is. Accessors are properties, enum members are constants. */
export type SymbolKind =
  | 'class'
  | 'constant'
  | 'enum'
  | 'function'
  | 'interface'
  | 'method'
  | 'namespace'
  | 'property'
  | 'type'
  | 'variable';

/** The kinds of declarations that can carry a documented symbol. */
export const symbolKinds: Readonly<Partial<Record<SyntaxKindName, SymbolKind>>> = {
  ClassDeclaration: 'class',
  EnumDeclaration: 'enum',
  EnumMember: 'constant',
  FunctionDeclaration: 'function',
  GetAccessor: 'property',
  InterfaceDeclaration: 'interface',
  MethodDeclaration: 'method',
  MethodSignature: 'method',
  ModuleDeclaration: 'namespace',
  PropertyDeclaration: 'property',
  PropertySignature: 'property',
  SetAccessor: 'property',
  TypeAliasDeclaration: 'type',
  VariableStatement: 'variable',
};

/** At most this many member names are listed in the signature of a class, interface or enum. */
const listedMembers = 12;

/** Describes the declarations of one source file. */
export class DeclarationReader {
  readonly #typescript: TypeScriptModule;
  readonly #file: SyntaxNode;

  constructor(typescript: TypeScriptModule, file: SyntaxNode) {
    this.#typescript = typescript;
    this.#file = file;
  }

  /** The declared name; empty for what has none, such as a call signature. A symbol key `[Symbol.x]` is `@@x`. */
  name(node: SyntaxNode): string {
    const kinds = this.#typescript.SyntaxKind;
    const name = node.kind === kinds.VariableStatement ? node.declarationList?.declarations[0]?.name : node.name;
    if (name === undefined) return '';
    switch (name.kind) {
      case kinds.Identifier:
      case kinds.StringLiteral:
      case kinds.NumericLiteral:
      case kinds.PrivateIdentifier:
        return name.text ?? '';
      case kinds.ComputedPropertyName:
        return name.expression ? this.#source(name.expression).replace(/^Symbol\./, '@@') : '';
      default:
        return this.#source(name);
    }
  }

  /** The signature, empty when the declaration says nothing beyond its name. */
  signature(node: SyntaxNode): string {
    const kinds = this.#typescript.SyntaxKind;
    switch (node.kind) {
      case kinds.FunctionDeclaration:
      case kinds.MethodDeclaration:
      case kinds.MethodSignature: {
        const parameters = (node.parameters ?? []).map((parameter) => this.#source(parameter)).join(', ');
        return `(${parameters})${this.#annotation(node.type)}`;
      }
      case kinds.PropertySignature:
      case kinds.PropertyDeclaration:
      case kinds.GetAccessor:
        return this.#annotation(node.type);
      case kinds.SetAccessor:
        return node.parameters?.[0] ? `: ${this.#source(node.parameters[0])}` : '';
      case kinds.VariableStatement:
        return this.#annotation(node.declarationList?.declarations[0]?.type);
      case kinds.TypeAliasDeclaration:
        return node.type ? `= ${this.#source(node.type)}` : '';
      case kinds.EnumMember:
        return node.initializer ? `= ${this.#source(node.initializer)}` : '';
      case kinds.ClassDeclaration:
      case kinds.InterfaceDeclaration: {
        const heritage = (node.heritageClauses ?? []).map((clause) => this.#source(clause)).join(' ');
        return `${heritage} ${this.#memberList(node)}`.trim();
      }
      case kinds.EnumDeclaration:
        return this.#memberList(node);
      default:
        return '';
    }
  }

  #annotation(type: SyntaxNode | undefined): string {
    return type ? `: ${this.#source(type)}` : '';
  }

  #memberList(node: SyntaxNode): string {
    const names = new Set((node.members ?? []).map((member) => this.name(member)).filter((name) => name !== ''));
    return `{ ${[...names].slice(0, listedMembers).join(', ')} }`;
  }

  #source(node: SyntaxNode): string {
    return node
      .getText(this.#file)
      .replace(/\/\*[\s\S]*?\*\//g, ' ')
      .replace(/\/\/[^\n]*/g, ' ')
      .replace(/\s+/g, ' ')
      .trim();
  }
}
