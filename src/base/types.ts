/** The keys that any member of a union has. */
export type KeysOfUnion<T> = T extends unknown ? keyof T : never;
