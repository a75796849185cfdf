/** Refuses to search vectors of one model with those of another. */
import { badInput } from '../util/errors.ts';
import type { Manifest } from '../util/manifest.ts';
import { readEncoderIdentity } from '../vectors/encoder-identity.ts';

/**
 * Checks the manifests of queries and of documents, which may be an index.
 * @param where the queries
 * @throws LexrayError BAD_INPUT when both name a model, and not the same
 */
export function checkEncoders(queries: Manifest, documents: Manifest, where: string): void {
  const [asked, searched] = [readEncoderIdentity(queries), readEncoderIdentity(documents)];
  if (asked === undefined || searched === undefined || asked.fingerprint === searched.fingerprint) return;
  const other = asked.model === searched.model ? 'another model of this name' : asked.model;
  throw badInput(`the documents were encoded by ${searched.model}, and the queries by ${other}`, {
    where,
    cure: 'encode both with one model, or pass --allow-other-model if the two were trained together',
  });
}
