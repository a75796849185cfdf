/**
 * Which model made vectors. Vectors of two models with one vocabulary fit together in form, and their scores mean nothing. So
 * vectors and indexes carry the name of the model's folder, for messages, and a fingerprint: the SHA-256 of the digests of its
 * weights, tokenizer and output vocabulary. Prompts, lengths and limits may be changed without becoming another model.
 */
import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import type { Manifest } from '../util/manifest.ts';

/** The model that made vectors. */
export interface EncoderIdentity {
  /** Name of its folder. */
  readonly model: string;
  /** SHA-256, hexadecimal. */
  readonly fingerprint: string;
}

const role = 'model/';
const deciding = /(\.safetensors|\.bin|(^|\/)(tokenizer|output_vocabulary|idf)\.json|(^|\/)vocab\.txt)$/;

/**
 * The identity of a model from the digests of its files.
 * @param parents SHA-256 by `model/PATH`, among others
 * @returns undefined when there is no weight or tokenizer among them
 */
export function encoderIdentity(model: string, parents: Readonly<Record<string, string>>): EncoderIdentity | undefined {
  const files = Object.keys(parents).filter((name) => name.startsWith(role) && deciding.test(name));
  if (files.length === 0) return undefined;
  const hash = createHash('sha256');
  for (const name of files.sort()) hash.update(`${name.slice(role.length)}\0${parents[name]}\n`);
  return { model: basename(model), fingerprint: hash.digest('hex') };
}

/** The identity in a manifest of vectors or of an index; undefined when it says nothing of a model. */
export function readEncoderIdentity(manifest: Manifest): EncoderIdentity | undefined {
  const { encoder, parents, config } = manifest as Partial<Manifest> & { readonly encoder?: unknown };
  if (typeof encoder === 'object' && encoder !== null) {
    const { model, fingerprint } = encoder as Partial<Record<string, unknown>>;
    if (typeof model === 'string' && typeof fingerprint === 'string') return { model, fingerprint };
  }
  // Vectors of version 0.1.0 have the digests alone.
  if (typeof parents !== 'object' || parents === null) return undefined;
  const model = typeof config?.model === 'string' ? config.model : 'a model';
  return encoderIdentity(model, parents);
}
