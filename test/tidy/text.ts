import type { Finding, Source } from './source.js';

interface Mark {
  readonly pattern: RegExp;
  readonly what: string;
}

// Written with character classes so that this file does not find itself.
const MARKS: readonly Mark[] = [
  { pattern: /\b(?:TOD[O]|FIXM[E]|XX[X]|HAC[K])\b/, what: 'leftover mark' },
  { pattern: /(?<![\w.*~:/-])\/(?:work|home|root|Users|mnt)\/[\w.]/, what: 'path of one machine' },
  {
    pattern: /\bregistry\.[a-z]|n[p]mjs|yarnp[k]g|artifactor[y]|verdacci[o]|\bp[y]pi\b|crates\.[i]o/i,
    what: 'host of a package registry',
  },
  { pattern: /[ \t]+$/, what: 'blank at the end of the line' },
  { pattern: /\r/, what: 'carriage return' },
];

/** Leftovers in any text file. */
export function checkText(sources: readonly Source[]): Finding[] {
  const findings: Finding[] = [];
  for (const { path, text } of sources) {
    for (const [index, line] of text.split('\n').entries()) {
      for (const { pattern, what } of MARKS)
        if (pattern.test(line)) findings.push({ path, line: index + 1, what });
    }
    if (text !== '' && !text.endsWith('\n')) findings.push({ path, line: 0, what: 'no newline at the end' });
  }
  return findings;
}
