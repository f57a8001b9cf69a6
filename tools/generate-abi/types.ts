import { type ScalarKind, scalarKind } from '../../src/abi/c-types.js';
import { STRUCT_NAMES, type StructField, struct } from '../../src/abi/structs.js';
import { SYSCALLS } from '../../src/abi/syscalls.js';

/** The type of a decoded scalar: one register or field. */
function scalarType(kind: ScalarKind): 'number' | 'bigint' | 'boolean' {
  if (kind === 'bool') return 'boolean';
  return kind === 'u64' || kind === 'i64' ? 'bigint' : 'number';
}

/** `SyscallArgs`: what `decodeArgs` gives for each call. */
export function syscallArgs(): string {
  const calls = SYSCALLS.map(({ name, args }) => {
    const members = args.map((arg) => `${arg.name}: ${scalarType(arg.kind)}`);
    return `  ${name}: ${members.length === 0 ? 'Record<never, never>' : `{ ${members.join('; ')} }`};`;
  });
  return `export interface SyscallArgs {\n${calls.join('\n')}\n}\n`;
}

function fieldType({ cType, type, count }: StructField): string {
  if (type === 'union' || (type === 'u8' && count !== undefined)) return 'Uint8Array';
  const scalar = scalarKind(cType);
  // A pointer in memory is 64 bits that a guest wrote, unlike one in a register nothing has narrowed it.
  const element =
    scalar === undefined ? `StructValues['${cType}']` : scalar === 'pointer' ? 'bigint' : scalarType(scalar);
  return count === undefined ? element : `${element}[]`;
}

/** `StructFields` and `StructValues`: field names, and what `decodeStruct` gives. */
export function structValues(): string {
  const fields: string[] = [];
  const values: string[] = [];
  for (const name of STRUCT_NAMES) {
    const list: StructField[] = Object.values(struct(name).fields);
    fields.push(`  ${name}: ${list.map((field) => `'${field.name}'`).join(' | ')};`);
    values.push(`  ${name}: { ${list.map((field) => `${field.name}: ${fieldType(field)}`).join('; ')} };`);
  }
  return [
    `export interface StructFields {\n${fields.join('\n')}\n}\n`,
    `export interface StructValues {\n${values.join('\n')}\n}\n`,
  ].join('\n');
}
