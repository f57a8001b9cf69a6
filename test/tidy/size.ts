import { type Finding, isTypeScript, type Source } from './source.js';
import { FUNCTIONS, lineOf, type Node, nameOf, syntaxOf, walk } from './syntax.js';

const FILE_LINES = 500;
const FUNCTION_LINES = 70;

/** What may be longer, and why. Functions are written `path#name`. */
export type Allowed = Readonly<Record<string, string>>;

export const ALLOWED: Allowed = {
  'src/abi/calls/device.ts': 'a table: one entry a call',
  'src/kernel/syscalls/lifetime.ts#release': 'one case a kind of object',
  'src/sdk/generated/calls.ts': 'generated from src/abi',
  'src/sysroot/lib/zx-calls.S': 'generated from src/abi',
};

/** Files and functions that are too long to be read at once, and reasons that are no longer needed. */
export function checkSize(sources: readonly Source[], allowed: Allowed = ALLOWED): Finding[] {
  const findings: Finding[] = [];
  const needed = new Set<string>();
  const tooLong = (key: string, finding: Finding): void => {
    if (allowed[key] === undefined) findings.push(finding);
    else needed.add(key);
  };
  for (const source of sources) {
    const { path, text } = source;
    if (!/\.(?:ts|c|h|S)$|^\.ci\//.test(path)) continue;
    const lines = text.split('\n').length - 1;
    if (lines > FILE_LINES) tooLong(path, { path, line: 0, what: `${lines} lines` });
    if (!isTypeScript(source)) continue;
    walk(syntaxOf(source), (node, parent) => {
      if (!FUNCTIONS.has(node.type)) return;
      const length = node.loc.end.line - lineOf(node) + 1;
      const name = functionName(node, parent);
      const what = `${name === '' ? 'a function' : name} has ${length} lines`;
      if (length > FUNCTION_LINES) tooLong(`${path}#${name}`, { path, line: lineOf(node), what });
    });
  }
  for (const key of Object.keys(allowed)) {
    if (!needed.has(key)) findings.push({ path: key, line: 0, what: 'is allowed to be long without need' });
  }
  return findings;
}

function functionName(node: Node, parent: Node | null): string {
  return nameOf(node.id) || nameOf(node.key) || nameOf(parent?.id) || nameOf(parent?.key);
}
