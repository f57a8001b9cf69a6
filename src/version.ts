/** The version of this Jacinth; a test holds it to package.json. */
export const VERSION = '0.1.0';
