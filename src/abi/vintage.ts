/**
 * The ABI that a run's programs were written for: `2023` (restricted mode with its exception channel option),
 * `head` (today's kernel), `magenta` (2017: `mx_*` names, policy actions that are or-ed together).
 */
export const VINTAGES = ['2023', 'head', 'magenta'] as const;

export type Vintage = (typeof VINTAGES)[number];

export const DEFAULT_VINTAGE: Vintage = '2023';
