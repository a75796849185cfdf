/** The version of this package, as its manifests and reports name it. */
import { readFileSync } from 'node:fs';

const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');

/** The version in package.json. */
export const lexrayVersion: string = (JSON.parse(text) as { version: string }).version;

/** `lexray 0.1.0`: the `tool` of a manifest. */
export const toolName: string = `lexray ${lexrayVersion}`;
