/**
 * Embeds text in a page so that it cannot become markup: as HTML, as JSON in a script element; and the hashes of a
 * content security policy that runs only the scripts of the page.
 */
import { createHash } from 'node:crypto';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Safe as text and inside quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}

/**
 * JSON that cannot end its script element early: `</script`, `<!--` and `]]>` need `<` or `>`, which are escaped. U+2028
 * and U+2029 are escaped because older engines treat them as line ends. `JSON.parse` returns the same value.
 */
export function scriptJson(value: unknown): string {
  return (JSON.stringify(value) ?? 'null').replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** `'sha256-...'` of the exact text between the tags of an inline script or style. */
export function sourceHash(text: string): string {
  return `'sha256-${createHash('sha256').update(text, 'utf8').digest('base64')}'`;
}
