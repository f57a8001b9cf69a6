/** What keeps a comparison from being made, as opposed to a difference. */
export class Trouble extends Error {}
