import { posix } from 'node:path';
import type { Source } from './source.js';
import { boundNames, isNode, lineOf, type Node, nameOf, syntaxOf, walk } from './syntax.js';

/** One import or re-export of a module by another. */
export interface Import {
  readonly line: number;
  /** As written. */
  readonly specifier: string;
  /** Exported names that are asked for; '*' is all of them. */
  readonly names: readonly string[];
  /** Gone at run time. */
  readonly typeOnly: boolean;
  readonly kind: 'import' | 'named re-export' | 'star re-export' | 'dynamic' | 'inline type';
}

export interface Export {
  readonly line: number;
  readonly name: string;
  readonly isType: boolean;
}

export interface Module {
  readonly path: string;
  readonly imports: readonly Import[];
  /** Names that the file itself declares and exports, or re-exports by name. */
  readonly exports: readonly Export[];
}

/** The source path a relative specifier names, or null for a package. */
export function resolveImport(from: string, specifier: string): string | null {
  if (!specifier.startsWith('.')) return null;
  return posix.join(posix.dirname(from), specifier).replace(/\.js$/, '.ts');
}

/** The package of a specifier that is not relative, without the path inside it. */
export function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

const modules = new WeakMap<Source, Module>();

export function moduleOf(source: Source): Module {
  let module = modules.get(source);
  if (module === undefined) {
    const imports: Import[] = [];
    const exports: Export[] = [];
    walk(syntaxOf(source), (node) => {
      imports.push(...importsAt(node));
      exports.push(...exportsAt(node));
    });
    module = { path: source.path, imports, exports };
    modules.set(source, module);
  }
  return module;
}

/** A module's name as it is written; of one that is put together its beginning, without a query. */
function specifierOf(node: unknown): string {
  if (!isNode(node) || node.type !== 'TemplateLiteral') return nameOf(node);
  const [{ value }] = node.quasis as { value: { cooked: string } }[];
  return value.cooked.replace(/\?.*/, '');
}

function importsAt(node: Node): Import[] {
  const line = lineOf(node);
  const specifier = specifierOf(node.type === 'TSImportType' ? node.argument : node.source);
  const specifiers = (node.specifiers ?? []) as Node[];
  switch (node.type) {
    case 'ImportDeclaration': {
      const names = specifiers.map((s) =>
        s.type === 'ImportSpecifier'
          ? nameOf(s.imported)
          : s.type === 'ImportDefaultSpecifier'
            ? 'default'
            : '*',
      );
      const typeOnly =
        node.importKind === 'type' ||
        (specifiers.length > 0 && specifiers.every((s) => s.importKind === 'type'));
      return [{ line, specifier, names, typeOnly, kind: 'import' }];
    }
    case 'ExportNamedDeclaration': {
      if (!isNode(node.source)) return [];
      const names = specifiers.map((s) => (s.type === 'ExportSpecifier' ? nameOf(s.local) : '*'));
      return [{ line, specifier, names, typeOnly: node.exportKind === 'type', kind: 'named re-export' }];
    }
    case 'ExportAllDeclaration':
      return [
        { line, specifier, names: ['*'], typeOnly: node.exportKind === 'type', kind: 'star re-export' },
      ];
    case 'ImportExpression':
      return [{ line, specifier, names: ['*'], typeOnly: false, kind: 'dynamic' }];
    case 'TSImportType':
      return [{ line, specifier, names: ['*'], typeOnly: true, kind: 'inline type' }];
    default:
      return [];
  }
}

function exportsAt(node: Node): Export[] {
  if (node.type === 'ExportDefaultDeclaration') {
    return [{ line: lineOf(node), name: 'default', isType: false }];
  }
  if (node.type !== 'ExportNamedDeclaration') return [];
  const isType = node.exportKind === 'type';
  const specifiers = (node.specifiers ?? []) as Node[];
  const exports = specifiers.map((s) => ({
    line: lineOf(s),
    name: nameOf(s.exported),
    isType: isType || s.exportKind === 'type',
  }));
  if (!isNode(node.declaration)) return exports;
  const { declaration } = node;
  if (declaration.type === 'VariableDeclaration') {
    for (const declarator of declaration.declarations as Node[]) {
      for (const name of boundNames(declarator.id)) exports.push({ line: lineOf(declarator), name, isType });
    }
  } else exports.push({ line: lineOf(declaration), name: nameOf(declaration.id), isType });
  return exports;
}
