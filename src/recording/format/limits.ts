/**
 * What a recording may hold at most. Writers keep to these and readers refuse anything beyond, before they
 * allocate for it. Together they bound what reading any file keeps in memory to about 64 MiB (a chunk as stored, the
 * same inflated, a record or table of it; or a blob and its parts), and with garbage not yet collected to 128 MiB.
 */

/** Bytes of a chunk's payload as stored. */
export const MAX_STORED_BYTES = 16 << 20;
/** Bytes of a chunk's payload when inflated. */
export const MAX_RAW_BYTES = 16 << 20;
/** Chunks of one file. */
export const MAX_CHUNKS = 1 << 20;
/** Bytes of one encoded record. */
export const MAX_RECORD_BYTES = 8 << 20;
/** Values (of any type, containers and keys too) in one record. */
export const MAX_RECORD_VALUES = 1 << 15;
/** Containers inside each other in one record. */
export const MAX_RECORD_DEPTH = 64;
/** Record shapes of one kind, and fields of one shape. */
export const MAX_STRUCTURES = 1024;
export const MAX_STRUCTURE_FIELDS = 64;
/** Rows or records of one chunk. */
export const MAX_ROWS = 1 << 18;
/** Bytes of one page or image. */
export const MAX_BLOB_BYTES = 32 << 20;
/** Bytes of a blob in one chunk: larger blobs are continued in the next. */
export const MAX_BLOB_PART_BYTES = 1 << 20;
