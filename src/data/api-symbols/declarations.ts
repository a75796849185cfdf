/**
 * Walks the declarations of one `.d.ts` file and yields those with a doc comment. Members of classes, interfaces,
 * enums, namespaces, `declare module` blocks and of object types in type aliases, variables and properties are
 * symbols of their own, named through their containers: `fs.promises.readFile`.
 */
import { commentText } from './doc-sentence.ts';
import { DeclarationReader, type SymbolKind, symbolKinds } from './signature.ts';
import type { SyntaxKindName, SyntaxNode, TypeScriptModule } from './typescript-module.ts';

/** A declaration with a doc comment. */
export interface DocumentedDeclaration {
  /** Names of the containers, the outermost first. */
  readonly containers: readonly string[];
  readonly name: string;
  readonly kind: SymbolKind;
  /** Computed on demand: most declarations are dropped before it is needed. */
  signature(): string;
  /** The doc comment before its first block tag, with markup. */
  readonly comment: string;
  /** Whether the comment has a `@deprecated` tag. */
  readonly deprecated: boolean;
}

/** Calls `found` for each documented declaration of a file, in the order of the text. */
export function visitDeclarations(
  text: string,
  fileName: string,
  typescript: TypeScriptModule,
  found: (declaration: DocumentedDeclaration) => void,
): void {
  const { SyntaxKind: kinds, ScriptTarget, ScriptKind } = typescript;
  const file = typescript.createSourceFile(fileName, text, ScriptTarget.Latest, false, ScriptKind.TS);
  const reader = new DeclarationReader(typescript, file);
  const kindOf = new Map<number, SymbolKind>();
  for (const [kind, symbol] of Object.entries(symbolKinds)) kindOf.set(kinds[kind as SyntaxKindName], symbol);

  const report = (node: SyntaxNode, kind: SymbolKind, containers: readonly string[]): void => {
    const documentation = node.jsDoc?.at(-1);
    if (documentation === undefined) return;
    const name = reader.name(node);
    if (name === '') return;
    found({
      containers,
      name,
      kind,
      signature: () => reader.signature(node),
      comment: commentText(documentation.comment, typescript),
      deprecated: documentation.tags?.some((tag) => tag.tagName.text === 'deprecated') ?? false,
    });
  };

  const visitMembers = (node: SyntaxNode | undefined, containers: readonly string[]): void => {
    for (const member of node?.members ?? []) visit(member, containers);
  };

  const visitObjectTypes = (type: SyntaxNode | undefined, containers: readonly string[]): void => {
    if (type?.kind === kinds.TypeLiteral) visitMembers(type, containers);
    else for (const part of type?.types ?? []) visitObjectTypes(part, containers);
  };

  const visitModule = (node: SyntaxNode, containers: readonly string[]): void => {
    const name = node.name?.text ?? '';
    let inside = [...containers, name];
    if (node.name?.kind === kinds.StringLiteral) inside = [name.replace(/^node:/, '').replaceAll('/', '.')];
    else if (name === 'global') inside = [];
    else report(node, 'namespace', containers);
    if (node.body) typescript.forEachChild(node.body, (child) => visit(child, inside));
  };

  const visit = (node: SyntaxNode, containers: readonly string[]): void => {
    if (node.kind === kinds.ModuleDeclaration) {
      visitModule(node, containers);
      return;
    }
    if (node.kind === kinds.ModuleBlock) {
      typescript.forEachChild(node, (child) => visit(child, containers));
      return;
    }
    const kind = kindOf.get(node.kind);
    if (kind === undefined) return;
    report(node, kind, containers);
    const inside = (): readonly string[] => [...containers, reader.name(node)];
    switch (kind) {
      case 'class':
      case 'interface':
      case 'enum':
        visitMembers(node, inside());
        break;
      case 'type':
        visitObjectTypes(node.type, inside());
        break;
      case 'variable': {
        const type = node.declarationList?.declarations[0]?.type;
        if (type?.kind === kinds.TypeLiteral) visitMembers(type, inside());
        break;
      }
      case 'property':
        if (node.type?.kind === kinds.TypeLiteral) visitMembers(node.type, inside());
        break;
    }
  };
  typescript.forEachChild(file, (node) => visit(node, []));
}
