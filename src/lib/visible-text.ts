/**
 * Text of others for a terminal: a name, a file's line or an answer may hold sequences that colour, erase or rewrite what
 * people read, or turn its direction. What is not meant to be seen is shown as a sign in its place; line breaks stay.
 */
export const visibleText = (text: string): string =>
  text.replaceAll(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu, (found) => (found === "\n" ? found : "\uFFFD"));
