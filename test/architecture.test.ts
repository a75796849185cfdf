/**
 * The rules that keep the layers apart, checked on the syntax of every file in `src/`: what a file may import, who prints,
 * what is exported how, and how folders and files are named. Each rule is first shown to catch a file that breaks it.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Low to high; folders in one row do not import each other. */
const layers: readonly (readonly string[])[] = [
  ['util'],
  ['data', 'checkpoint', 'compute', 'recipes'],
  ['vectors'],
  ['tokenizer', 'search', 'evaluate'],
  ['model'],
  ['head'],
  ['train'],
  ['export', 'report'],
  ['study', 'demo'],
  ['server'],
  ['demo'],
  ['cli'],
];

/** Folders that work where the engine is not installed. */
const withoutEngine = ['vectors', 'search', 'evaluate', 'report'];

interface SourceFile {
  /** Relative to `src/`, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

interface Syntax {
  readonly imports: readonly string[];
  readonly statements: readonly ts.Statement[];
  readonly prints: boolean;
}

function parse(file: SourceFile): Syntax {
  const source = ts.createSourceFile(file.path, file.text, ts.ScriptTarget.ES2023, true);
  const imports = new Set<string>();
  let prints = false;
  const visit = (node: ts.Node): void => {
    if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier !== undefined) {
      imports.add((node.moduleSpecifier as ts.StringLiteral).text);
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const target = node.arguments[0];
      if (target !== undefined && ts.isStringLiteralLike(target)) imports.add(target.text);
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      imports.add((node.argument.literal as ts.StringLiteral).text);
    } else if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression)) {
      const object = node.expression.text;
      if (object === 'console') prints = true;
      if (object === 'process' && ['stdout', 'stderr'].includes(node.name.text)) prints = true;
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return { imports: [...imports], statements: source.statements, prints };
}

function layerOf(folder: string): number {
  return layers.findIndex((row) => row.includes(folder));
}

/** Every broken rule in a file, as one sentence each. */
function violations(file: SourceFile): readonly string[] {
  const { path, text } = file;
  const found: string[] = [];
  const folders = path.split('/').slice(0, -1);
  const name = path.split('/').at(-1)!;
  const folder = folders[0] ?? '';
  for (const part of [...folders, name.replace(/\..*$/, '')]) {
    if (/^(helpers?|common|misc|shared)$/.test(part)) found.push(`${path}: "${part}" says nothing about what is in it`);
    if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(part)) found.push(`${path}: "${part}" is not kebab-case`);
  }
  const { imports, statements, prints } = parse(file);
  const isTest = /\.(test|suite)\.ts$/.test(name);

  for (const statement of statements) {
    const modifiers = ts.canHaveModifiers(statement) ? (ts.getModifiers(statement) ?? []) : [];
    const isDefault =
      ts.isExportAssignment(statement) ||
      modifiers.some((modifier) => modifier.kind === ts.SyntaxKind.DefaultKeyword) ||
      (ts.isExportDeclaration(statement) &&
        statement.exportClause !== undefined &&
        ts.isNamedExports(statement.exportClause) &&
        statement.exportClause.elements.some((element) => element.name.text === 'default'));
    if (isDefault) found.push(`${path}: default export`);
    if (name === 'index.ts' && !(ts.isExportDeclaration(statement) && statement.moduleSpecifier !== undefined)) {
      found.push(`${path}: index.ts does more than re-export`);
    }
  }
  if (isTest) return found;

  if (
    !text
      .trimStart()
      .replace(/^#!.*\n/, '')
      .startsWith('/**')
  )
    found.push(`${path}: does not open with what it is`);
  if (prints && folder !== 'cli') found.push(`${path}: prints outside cli/`);
  if (folder === '') return found;

  const layer = layerOf(folder);
  if (layer === -1) return [...found, `${path}: the folder ${folder}/ stands in no layer`];
  for (const specifier of imports) {
    if (!specifier.startsWith('.')) continue;
    const target = posix.normalize(posix.join(posix.dirname(path), specifier));
    if (target.startsWith('../')) continue;
    const targetFolder = target.includes('/') ? target.split('/')[0]! : '';
    if (targetFolder === folder) continue;
    if (targetFolder === '' || layerOf(targetFolder) === -1 || layerOf(targetFolder) >= layer) {
      found.push(`${path}: imports ${target}, which is not below ${folder}/`);
    }
    if (withoutEngine.includes(folder)) {
      if (targetFolder === 'model' || (targetFolder === 'compute' && !target.startsWith('compute/kernels/'))) {
        found.push(`${path}: imports ${target}, but ${folder}/ works without the engine`);
      }
    }
  }
  if (withoutEngine.includes(folder) && imports.includes('onnxruntime-node')) {
    found.push(`${path}: imports onnxruntime-node, but ${folder}/ works without the engine`);
  }
  return found;
}

function sourceFiles(): readonly SourceFile[] {
  const src = join(root, 'src');
  return readdirSync(src, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.d.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => existsSync(path))
    .map((path) => ({ path: relative(src, path).split(sep).join('/'), text: readFileSync(path, 'utf8') }))
    .filter(({ path }) => !path.startsWith('compute/kernels/assembly/'));
}

describe('architecture', () => {
  it('holds in every source file', () => {
    const files = sourceFiles();
    expect(files.length).toBeGreaterThan(10);
    expect(files.flatMap(violations)).toEqual([]);
  });

  it.each([
    ['an upward import', 'util/a.ts', "import { b } from '../data/b.ts';", 'not below util/'],
    ['a dynamic upward import', 'data/a.ts', "await import('../cli/main.ts');", 'not below data/'],
    ['an import type from above', 'vectors/a.ts', "type A = import('../search/b.ts').B;", 'not below vectors/'],
    ['a re-export from above', 'data/a.ts', "export { b } from '../model/b.ts';", 'not below data/'],
    ['an import from the same row', 'search/a.ts', "import '../evaluate/b.ts';", 'not below search/'],
    ['an import of the public index', 'data/a.ts', "import '../index.ts';", 'not below data/'],
    ['the engine below search', 'search/a.ts', "import '../compute/runtime/engine.ts';", 'without the engine'],
    ['the graph below vectors', 'vectors/a.ts', "import '../compute/graph/graph.ts';", 'without the engine'],
    ['the model below report', 'report/a.ts', "import '../model/encoder.ts';", 'without the engine'],
    ['onnxruntime below evaluate', 'evaluate/a.ts', "await import('onnxruntime-node');", 'without the engine'],
    ['a folder without a layer', 'stuff/a.ts', '', 'stands in no layer'],
    ['console', 'data/a.ts', "console.log('x');", 'prints outside cli/'],
    ['stderr', 'data/a.ts', "process.stderr.write('x');", 'prints outside cli/'],
    ['a default function', 'data/a.ts', 'export default function f(): void {}', 'default export'],
    ['a default value', 'data/a.ts', 'export default 1;', 'default export'],
    ['a renamed default', 'data/a.ts', "export { a as default } from './b.ts';", 'default export'],
    ['code in an index', 'data/index.ts', 'export const a: number = 1;', 'more than re-export'],
    ['a folder of helpers', 'data/helpers/a.ts', '', 'says nothing'],
    ['a camelCase file', 'data/readRun.ts', '', 'kebab-case'],
    ['no header', 'data/a.ts', 'NO HEADER', 'open with what it is'],
  ])('catches %s', (_title, path, code, message) => {
    const text = code === 'NO HEADER' ? 'export const a: number = 1;' : `/** A file. */\n${code}`;
    expect(violations({ path, text }).join('\n')).toContain(message);
  });

  it.each([
    ['data/a.ts', "import { x } from '../util/b.ts';"],
    ['search/a.ts', "import { x } from '../compute/kernels/b.ts';"],
    ['cli/a.ts', "import '../model/b.ts'; console.log('x');"],
    ['model/a.test.ts', "import '../cli/b.ts'; console.log('x');"],
    ['index.ts', "export { x } from './cli/b.ts';"],
    ['compute/graph/a.ts', "import '../runtime/b.ts'; import 'onnxruntime-node';"],
  ])('lets %s import downwards', (path, code) => {
    expect(violations({ path, text: `/** A file. */\n${code}` })).toEqual([]);
  });
});
