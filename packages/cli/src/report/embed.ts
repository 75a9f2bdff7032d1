/**
 * Putting text into a page without letting it become page: HTML, JSON inside a script element, and the
 * hashes of a content security policy that lets nothing run but our own scripts.
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
 * JSON that no sequence inside can end early: `</script`, `<!--` and `]]>` need `<` or `>`, which are written
 * as escapes; U+2028 and U+2029 too, because older engines end lines there. `JSON.parse` gives the same value.
 */
export function scriptJson(value: unknown): string {
  return (JSON.stringify(value) ?? 'null').replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** `'sha256-...'` of an inline script or style, exactly as it stands between its tags. */
export function sourceHash(text: string): string {
  return `'sha256-${createHash('sha256').update(text, 'utf8').digest('base64')}'`;
}
