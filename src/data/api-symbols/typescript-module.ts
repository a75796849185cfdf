/**
 * A project's own `typescript` module, seen through the few members that the extraction of API symbols needs. Lexray
 * does not depend on TypeScript at run time: the module is found where the project has it. Versions 5 and 6 have this
 * JavaScript API; version 7 is a native program whose package has no parser behind `require('typescript')`.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { badInput } from '../../util/errors.ts';

/** A node of TypeScript's syntax tree: the members that are read here, each present on some kinds only. */
export interface SyntaxNode {
  readonly kind: number;
  getText(sourceFile: SyntaxNode): string;
  /** Identifiers and literals: the text. Comment parts: the text. */
  readonly text?: string;
  readonly name?: SyntaxNode;
  readonly type?: SyntaxNode;
  readonly body?: SyntaxNode;
  readonly initializer?: SyntaxNode;
  readonly expression?: SyntaxNode;
  /** Qualified names `left.right` in links. */
  readonly left?: SyntaxNode;
  readonly right?: SyntaxNode;
  readonly parameters?: readonly SyntaxNode[];
  readonly members?: readonly SyntaxNode[];
  /** The parts of a union or intersection type. */
  readonly types?: readonly SyntaxNode[];
  readonly heritageClauses?: readonly SyntaxNode[];
  readonly declarationList?: { readonly declarations: readonly SyntaxNode[] };
  /** Doc comments in front of a declaration, the nearest last. */
  readonly jsDoc?: readonly SyntaxNode[];
  readonly comment?: string | readonly SyntaxNode[];
  readonly tags?: readonly { readonly tagName: { readonly text: string } }[];
}

/** The kinds of nodes that are told apart, as `ts.SyntaxKind` names them. */
export type SyntaxKindName =
  | 'ClassDeclaration'
  | 'ComputedPropertyName'
  | 'EnumDeclaration'
  | 'EnumMember'
  | 'FunctionDeclaration'
  | 'GetAccessor'
  | 'Identifier'
  | 'InterfaceDeclaration'
  | 'JSDocText'
  | 'MethodDeclaration'
  | 'MethodSignature'
  | 'ModuleBlock'
  | 'ModuleDeclaration'
  | 'NumericLiteral'
  | 'PrivateIdentifier'
  | 'PropertyDeclaration'
  | 'PropertySignature'
  | 'SetAccessor'
  | 'StringLiteral'
  | 'TypeAliasDeclaration'
  | 'TypeLiteral'
  | 'VariableStatement';

/** The members of the `typescript` module that are used. */
export interface TypeScriptModule {
  readonly version: string;
  readonly SyntaxKind: Readonly<Record<SyntaxKindName, number>>;
  readonly ScriptTarget: { readonly Latest: number };
  readonly ScriptKind: { readonly TS: number };
  createSourceFile(
    fileName: string,
    text: string,
    target: number,
    setParentNodes: boolean,
    scriptKind: number,
  ): SyntaxNode;
  forEachChild(node: SyntaxNode, visit: (child: SyntaxNode) => void): void;
}

/** A project with a usable parser. */
export interface TypeScriptProject {
  /** The `node_modules` folder that holds `typescript`: the project's own or that of a folder above it. */
  readonly nodeModules: string;
  readonly typescript: TypeScriptModule;
}

/**
 * Loads the `typescript` module of a project.
 * @param folder the project; the folders above it are searched as Node does
 * @throws LexrayError BAD_INPUT when there is none, or it has no parser API (TypeScript 7)
 */
export function loadTypeScript(folder: string): TypeScriptProject {
  const nodeModules = findNodeModules(folder);
  const where = join(nodeModules, 'typescript');
  let loaded: Partial<TypeScriptModule>;
  try {
    loaded = createRequire(join(nodeModules, '..', 'package.json'))('typescript') as Partial<TypeScriptModule>;
  } catch (cause) {
    throw badInput(`the typescript package cannot be loaded: ${(cause as Error).message}`, {
      where,
      cause,
      cure: 'install typescript@6 in the project',
    });
  }
  if (typeof loaded?.createSourceFile !== 'function' || typeof loaded.SyntaxKind?.Identifier !== 'number') {
    throw badInput(`expected TypeScript 5 or 6 with its parser API, got version ${loaded?.version ?? 'unknown'}`, {
      where,
      cure: 'install typescript@6 in the project: the package of TypeScript 7 has no parser to call from JavaScript',
    });
  }
  return { nodeModules, typescript: loaded as TypeScriptModule };
}

function findNodeModules(folder: string): string {
  let current = resolve(folder);
  for (;;) {
    const candidate = join(current, 'node_modules');
    if (existsSync(join(candidate, 'typescript', 'package.json'))) return candidate;
    const parent = dirname(current);
    if (parent === current) {
      throw badInput('no node_modules folder with the typescript package was found', {
        where: resolve(folder),
        cure: 'run npm install there, or npm install --save-dev typescript@6',
      });
    }
    current = parent;
  }
}
