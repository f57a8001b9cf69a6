/** A struct or union as declared: C declarations in order. Offsets follow from natural alignment. */
export interface Layout<D extends readonly string[] = readonly string[]> {
  readonly kind: 'struct' | 'union';
  readonly declarations: D;
  /** Alignment in bytes that the header asks for, beyond what the fields need; 1 when none. */
  readonly alignBytes: number;
}

/** By C name; a struct may only use those before it. */
export type Layouts = Readonly<Record<string, Layout>>;

export function fields<const D extends readonly string[]>(...declarations: D): Layout<D> {
  return { kind: 'struct', declarations, alignBytes: 1 };
}

export function aligned<const D extends readonly string[]>(
  alignBytes: number,
  ...declarations: D
): Layout<D> {
  return { kind: 'struct', declarations, alignBytes };
}

/** Every member starts at offset 0. */
export function union<const D extends readonly string[]>(...declarations: D): Layout<D> {
  return { kind: 'union', declarations, alignBytes: 1 };
}
