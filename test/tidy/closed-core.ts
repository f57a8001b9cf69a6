import { moduleOf, packageOf } from './modules.js';
import { freeNames } from './scopes.js';
import { type Finding, isTypeScript, type Source } from './source.js';
import { isNode, lineOf, type Node, nameOf, syntaxOf, walk } from './syntax.js';

/** The rooms that must run, and give the same results, on every host. */
const CLOSED =
  /^src\/(?:(?:base|abi|memory|kernel|cpu|machine|loader|recording|timeline|diff|explore|sdk|library)\/|(?:version|index)\.ts$)/;

/** What of the language's library is the same everywhere. Anything else that a file does not declare is a finding. */
const GLOBALS = new Set(
  (
    'Array ArrayBuffer BigInt BigInt64Array BigUint64Array Boolean DataView Error Float32Array Float64Array ' +
    'Infinity Int16Array Int32Array Int8Array JSON Map Math NaN Number Object Proxy RangeError Reflect RegExp Set ' +
    'String Symbol SyntaxError TextDecoder TextEncoder TypeError Uint16Array Uint32Array Uint8Array WeakMap ' +
    'WeakSet WebAssembly parseInt undefined arguments'
  ).split(' '),
);

/** Types that only code which reads the host has a use for. */
const HOST_TYPES =
  /^(?:Promise|PromiseLike|Awaited|Async\w+|Date|Intl|Buffer|NodeJS|WeakRef|FinalizationRegistry)$/;

/** The standard leaves the last bits of all others to the host. */
const EXACT_MATH = new Set('abs ceil clz32 floor fround imul max min round sign sqrt trunc'.split(' '));

const LOCALE_METHODS = /^(?:localeCompare|toLocale\w+)$/;

/** Packages that compute and nothing else. */
const PURE_PACKAGES = new Set(['immer', 'rxjs', 'msgpackr', 'fflate']);

/** What rxjs does by the clock or by promises. */
const RXJS_HOST_NAMES =
  /^(?:interval|timer|timestamp|.*Scheduler|delay.*|debounce.*|throttle.*|audit.*|sample.*|timeout.*|.*Time|timeInterval|animationFrames|firstValueFrom|lastValueFrom|fromFetch|\*)$/;

/** Uses of the host below src/platform. */
export function checkClosedCore(sources: readonly Source[]): Finding[] {
  return sources.filter((s) => isTypeScript(s) && CLOSED.test(s.path)).flatMap(checkFile);
}

function checkFile(source: Source): Finding[] {
  const { path } = source;
  const findings: Finding[] = [];
  const program = syntaxOf(source);
  for (const { name, line, isType } of freeNames(program)) {
    if (isType ? HOST_TYPES.test(name) : !GLOBALS.has(name))
      findings.push({ path, line, what: `uses ${name}` });
  }
  walk(program, (node, parent) => {
    const what = hostUse(node, parent);
    if (what !== null) findings.push({ path, line: lineOf(node), what });
  });
  for (const use of moduleOf(source).imports) {
    const { line, specifier } = use;
    if (specifier.startsWith('.')) continue;
    if (!PURE_PACKAGES.has(packageOf(specifier))) findings.push({ path, line, what: `imports ${specifier}` });
    if (packageOf(specifier) !== 'rxjs') continue;
    for (const name of use.names.filter((n) => RXJS_HOST_NAMES.test(n))) {
      findings.push({ path, line, what: `imports ${name} of rxjs` });
    }
  }
  return findings;
}

function hostUse(node: Node, parent: Node | null): string | null {
  if (node.async === true) return 'is async';
  switch (node.type) {
    case 'AwaitExpression':
      return 'awaits';
    case 'ForOfStatement':
      return node.await === true ? 'awaits' : null;
    case 'ForInStatement':
      return 'loops with for…in, whose order depends on where a property was added';
    case 'ImportExpression':
      return 'imports while running';
    case 'MetaProperty':
      return nameOf(node.meta) === 'import' ? 'uses import.meta' : null;
    case 'BinaryExpression':
      return node.operator === '**' && !isExactPower(node) ? 'raises to a power that is not exact' : null;
    case 'AssignmentExpression':
      return node.operator === '**=' ? 'raises to a power that is not exact' : null;
    case 'MemberExpression':
    case 'OptionalMemberExpression':
      return memberUse(node);
    case 'Identifier':
      return nameOf(node) === 'Math' && parent?.object !== node ? 'passes Math on' : null;
    default:
      return null;
  }
}

function memberUse(node: Node): string | null {
  const name = nameOf(node.property);
  if (LOCALE_METHODS.test(name)) return `calls ${name}`;
  const isMath = isNode(node.object) && node.object.type === 'Identifier' && nameOf(node.object) === 'Math';
  if (isMath && (node.computed === true || !EXACT_MATH.has(name))) return `uses Math.${name}`;
  return null;
}

/** Powers of two and powers of bigints are exact; other powers are left to the host. */
function isExactPower(node: Node): boolean {
  const { left, right } = node as unknown as { left: Node; right: Node };
  const isBigInt = left.type === 'BigIntLiteral' || right.type === 'BigIntLiteral';
  return isBigInt || (left.type === 'NumericLiteral' && left.value === 2);
}
