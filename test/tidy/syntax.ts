import { parse } from '@babel/parser';
import type { Source } from './source.js';

/** A node of Babel's syntax tree, as far as the rules look at it. */
export interface Node {
  readonly type: string;
  readonly loc: { readonly start: { readonly line: number }; readonly end: { readonly line: number } };
  readonly [field: string]: unknown;
}

const parsed = new WeakMap<Source, Node>();

/** The Program node. Throws with the path when the file does not parse. */
export function syntaxOf(source: Source): Node {
  let program = parsed.get(source);
  if (program === undefined) {
    program = parse(source.text, {
      sourceType: 'module',
      sourceFilename: source.path,
      plugins: ['typescript', 'explicitResourceManagement'],
      createImportExpressions: true,
    }).program as unknown as Node;
    parsed.set(source, program);
  }
  return program;
}

export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';
}

/** The nodes right below, in source order, each with the field that holds it. */
export function* childrenOf(node: Node): Generator<readonly [field: string, child: Node]> {
  for (const [field, value] of Object.entries(node)) {
    if (field.endsWith('Comments') || field === 'loc' || field === 'extra') continue;
    for (const item of Array.isArray(value) ? value : [value]) if (isNode(item)) yield [field, item];
  }
}

/** Calls back for the node and everything below it, parents first. */
export function walk(node: Node, visit: (node: Node, parent: Node | null) => void): void {
  const go = (at: Node, parent: Node | null): void => {
    visit(at, parent);
    for (const [, child] of childrenOf(at)) go(child, at);
  };
  go(node, null);
}

export function lineOf(node: Node): number {
  return node.loc.start.line;
}

/** The name of an identifier or the text of a string literal. */
export function nameOf(node: unknown): string {
  if (!isNode(node)) return '';
  return String(node.type === 'StringLiteral' ? node.value : (node.name ?? ''));
}

/** The names a pattern binds. */
export function boundNames(pattern: unknown): string[] {
  if (!isNode(pattern)) return [];
  switch (pattern.type) {
    case 'Identifier':
      return [nameOf(pattern)];
    case 'ObjectPattern':
      return (pattern.properties as Node[]).flatMap((p) =>
        boundNames(p.type === 'RestElement' ? p : p.value),
      );
    case 'ArrayPattern':
      return (pattern.elements as unknown[]).flatMap(boundNames);
    case 'AssignmentPattern':
      return boundNames(pattern.left);
    case 'RestElement':
      return boundNames(pattern.argument);
    case 'TSParameterProperty':
      return boundNames(pattern.parameter);
    default:
      return [];
  }
}

export const FUNCTIONS: ReadonlySet<string> = new Set([
  'FunctionDeclaration',
  'FunctionExpression',
  'ArrowFunctionExpression',
  'ClassMethod',
  'ClassPrivateMethod',
  'ObjectMethod',
]);
