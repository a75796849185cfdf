import { expect, test } from 'vitest';
import type { Manifest } from '../util/manifest.ts';
import { encoderIdentity, readEncoderIdentity } from './encoder-identity.ts';

const files = {
  'model/config.json': 'c',
  'model/model.safetensors': 'w',
  'model/tokenizer.json': 't',
  input: 'i',
};
const manifest = { format: 'lexray-vectors', version: 1, config: {}, parents: {}, created: '', tool: '' };

test('weights, tokenizer and output vocabulary decide, in whatever order they are listed', () => {
  const same = encoderIdentity('models/splade', files)!;
  expect(same.model).toBe('splade');
  expect(same.fingerprint).toMatch(/^[0-9a-f]{64}$/);
  const reordered = Object.fromEntries(Object.entries(files).reverse());
  const untouched = { ...reordered, input: 'j', 'model/config.json': 'd', 'model/lexray.json': 'l' };
  expect(encoderIdentity('elsewhere/splade', untouched)).toEqual(same);
  for (const changed of [
    { 'model/model.safetensors': 'v' },
    { 'model/tokenizer.json': 'u' },
    { 'model/vocab.txt': 'v' },
    { 'model/output_vocabulary.json': 'o' },
    { 'model/query_0_SparseStaticEmbedding/model.safetensors': 'q' },
    { 'model/query_0_SparseStaticEmbedding/idf.json': 'q' },
  ]) {
    expect(encoderIdentity('splade', { ...files, ...changed })?.fingerprint).not.toBe(same.fingerprint);
  }
});

test('without files of a model there is no identity', () => {
  expect(encoderIdentity('m', { vectors: 'x', 'model/config.json': 'c' })).toBeUndefined();
  expect(readEncoderIdentity(manifest)).toBeUndefined();
});

test('reads what a manifest says, and what one without it lets guess', () => {
  const encoder = { model: 'm', fingerprint: 'f' };
  expect(readEncoderIdentity({ ...manifest, encoder } as Manifest)).toEqual(encoder);
  const older = { ...manifest, config: { model: 'a/m' }, parents: files };
  expect(readEncoderIdentity(older)).toEqual(encoderIdentity('m', files));
  for (const strange of [null, 7, { model: 1 }, { fingerprint: 'f' }]) {
    expect(readEncoderIdentity({ ...manifest, encoder: strange } as Manifest)).toBeUndefined();
  }
  expect(readEncoderIdentity({ ...manifest, parents: null } as unknown as Manifest)).toBeUndefined();
});
