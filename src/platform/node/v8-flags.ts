type SetFlags = { setFlagsFromString(flags: string): void };

/** What `node:v8` calls, without the streams that this loads: they take 4 ms of a command's start. */
function bindingOfV8(): SetFlags | null {
  const { binding } = process as unknown as { readonly binding?: (name: string) => Partial<SetFlags> };
  const { noDeprecation } = process;
  process.noDeprecation = true;
  try {
    const v8 = binding?.('v8');
    return v8?.setFlagsFromString === undefined ? null : (v8 as SetFlags);
  } catch {
    return null;
  } finally {
    process.noDeprecation = noDeprecation;
  }
}

/** Sets a flag that V8 11.3 has, of Node 20; nothing in other versions. */
export function setV8Flag(flag: string): void {
  if (!process.versions.v8.startsWith('11.3.')) return;
  (bindingOfV8() ?? process.getBuiltinModule('node:v8')).setFlagsFromString(flag);
}
