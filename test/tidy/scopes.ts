import { boundNames, childrenOf, FUNCTIONS, isNode, lineOf, type Node, nameOf } from './syntax.js';

/** A name that the file uses and does not declare: a global. */
export interface FreeName {
  readonly name: string;
  readonly line: number;
  readonly isType: boolean;
}

interface Scope {
  readonly names: ReadonlySet<string>;
  readonly parent: Scope | null;
}

/** Type-level nodes that hold expressions, declarations or both. All other `TS…` nodes are types. */
const TS_WITH_VALUES = new Set([
  'TSAsExpression',
  'TSSatisfiesExpression',
  'TSNonNullExpression',
  'TSInstantiationExpression',
  'TSParameterProperty',
  'TSEnumDeclaration',
  'TSEnumBody',
  'TSEnumMember',
  'TSExportAssignment',
]);

/** Fields whose identifier names a property, a label or another module's export: never a variable. */
const NAME_FIELDS: Readonly<Record<string, readonly string[]>> = {
  MemberExpression: ['property'],
  OptionalMemberExpression: ['property'],
  ObjectProperty: ['key'],
  ObjectMethod: ['key'],
  ClassMethod: ['key'],
  ClassProperty: ['key'],
  ClassAccessorProperty: ['key'],
  TSEnumMember: ['id'],
  LabeledStatement: ['label'],
  BreakStatement: ['label'],
  ContinueStatement: ['label'],
  PrivateName: ['id'],
  MetaProperty: ['meta', 'property'],
  ImportSpecifier: ['imported'],
  ExportSpecifier: ['local', 'exported'],
  ExportNamespaceSpecifier: ['exported'],
};

/** Every use of a global in a program. Types are resolved by file, values by scope. */
export function freeNames(program: Node): FreeName[] {
  const free: FreeName[] = [];
  const types = declaredTypes(program);

  const reference = (node: Node, scope: Scope): void => {
    const name = nameOf(node);
    for (let at: Scope | null = scope; at !== null; at = at.parent) if (at.names.has(name)) return;
    free.push({ name, line: lineOf(node), isType: false });
  };

  const visitType = (node: Node): void => {
    const root = typeRoot(node);
    if (root !== null && !types.has(nameOf(root))) {
      free.push({ name: nameOf(root), line: lineOf(root), isType: true });
    }
    for (const [, child] of childrenOf(node)) visitType(child);
  };

  const visit = (node: Node, outer: Scope): void => {
    if (node.type.startsWith('TS') && !TS_WITH_VALUES.has(node.type)) {
      visitType(node);
      return;
    }
    const names = namesIn(node);
    const scope = names === null ? outer : { names: new Set(names), parent: outer };
    if (node.type === 'Identifier') reference(node, scope);
    const skipped = node.computed === true ? undefined : NAME_FIELDS[node.type];
    for (const [field, child] of childrenOf(node)) if (!skipped?.includes(field)) visit(child, scope);
  };

  visit(program, { names: new Set(['undefined', 'arguments']), parent: null });
  return free;
}

/** The identifier at the left end of a type's name. */
function typeRoot(node: Node): Node | null {
  let name: unknown = null;
  if (node.type === 'TSTypeReference') name = node.typeName;
  else if (node.type === 'TSTypeQuery') name = node.exprName;
  else if (node.type === 'TSExpressionWithTypeArguments' || node.type === 'TSInterfaceHeritage')
    name = node.expression;
  while (isNode(name) && name.type === 'TSQualifiedName') name = name.left;
  return isNode(name) && name.type === 'Identifier' ? name : null;
}

function declaredTypes(program: Node): Set<string> {
  const names = new Set<string>();
  const go = (node: Node): void => {
    if (
      /^(?:TS(?:Interface|TypeAlias|Enum)Declaration|ClassDeclaration|Import.*Specifier)$/.test(node.type)
    ) {
      names.add(nameOf(node.id ?? node.local));
    } else if (node.type === 'TSTypeParameter') names.add(nameOf(node.name) || String(node.name));
    else if (node.type === 'VariableDeclarator') for (const name of boundNames(node.id)) names.add(name);
    for (const [, child] of childrenOf(node)) go(child);
  };
  go(program);
  return names;
}

/** The names a node declares for what is below it; null when it opens no scope. */
function namesIn(node: Node): string[] | null {
  if (FUNCTIONS.has(node.type)) {
    const own = node.type === 'FunctionExpression' ? boundNames(node.id) : [];
    return [...own, ...(node.params as Node[]).flatMap(boundNames)];
  }
  switch (node.type) {
    case 'Program':
    case 'BlockStatement':
    case 'StaticBlock':
      return (node.body as Node[]).flatMap(declaredBy);
    case 'SwitchStatement':
      return (node.cases as Node[]).flatMap((c) => (c.consequent as Node[]).flatMap(declaredBy));
    case 'ForStatement':
      return isNode(node.init) ? declaredBy(node.init) : [];
    case 'ForOfStatement':
    case 'ForInStatement':
      return declaredBy(node.left as Node);
    case 'CatchClause':
      return boundNames(node.param);
    case 'ClassExpression':
      return boundNames(node.id);
    default:
      return null;
  }
}

/** `declare` claims a name and makes none. */
function declaredBy(statement: Node): string[] {
  if (statement.declare === true) return [];
  switch (statement.type) {
    case 'VariableDeclaration':
      return (statement.declarations as Node[]).flatMap((d) => boundNames(d.id));
    case 'FunctionDeclaration':
    case 'ClassDeclaration':
    case 'TSEnumDeclaration':
      return boundNames(statement.id);
    case 'ImportDeclaration':
      return (statement.specifiers as Node[]).map((s) => nameOf(s.local));
    case 'ExportNamedDeclaration':
    case 'ExportDefaultDeclaration':
      return isNode(statement.declaration) ? declaredBy(statement.declaration) : [];
    default:
      return [];
  }
}
