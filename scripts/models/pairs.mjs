// Makes training pairs and test collections of titles from the texts in ../shared/data, split by document, and the texts for
// pre-training without any document that is held out:
//
//     node scripts/models/pairs.mjs --data ../shared/data -o FOLDER
//
// | source | query | document |
// |---|---|---|
// | wiki | title of an article | its first sentence |
// | wordnet | gloss | the words it explains |
// | debian | name of a package | its synopsis |
// | medquad | question | beginning of the answer |
// | korean | title of an article (ko) | its first sentence |
//
// FOLDER/train.jsonl         pairs of the four English sources and of scifact's train split, shuffled
// FOLDER/train-short.jsonl   its first 25,600 pairs, for runs of few steps: a run tokenizes all that it is given
// FOLDER/train-korean.jsonl  Korean pairs
// FOLDER/SOURCE/             BEIR folder: qrels/dev.tsv and qrels/eval.tsv, at most 500 queries each
// FOLDER/titles/             the four English ones as one collection
// FOLDER/texts/*.jsonl.gz    texts of wiki, wordnet, debian and korean, without the documents of dev and eval
//
// A document belongs to dev (5 %), eval (5 %) or train by a hash of its group: the article, the words of a synset, a synopsis up
// to its first dash, colon or bracket, the subject of a question. So no group is on two sides. The documents of a collection
// are those of dev and eval, and as many of train, chosen by hash, as make 10,000.
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { createGunzip, gzipSync } from 'node:zlib';

const documentsOfCollection = 10_000;
const queriesOfSplit = 500;
const pairsOfShort = 25_600;
const answerCharacters = 500;

const { values: options } = parseArgs({
  options: { data: { type: 'string' }, output: { type: 'string', short: 'o' } },
});
if (!options.data || !options.output) {
  console.error('usage: node scripts/models/pairs.mjs --data FOLDER -o FOLDER');
  process.exit(2);
}

async function* records(path) {
  const file = join(options.data, path);
  if (!existsSync(file)) {
    console.error(`there is no ${file}`);
    process.exit(3);
  }
  const raw = createReadStream(file);
  const lines = createInterface({ input: file.endsWith('.gz') ? raw.pipe(createGunzip()) : raw, crlfDelay: Infinity });
  for await (const line of lines) if (line) yield JSON.parse(line);
}

const digest = (text) => createHash('sha256').update(text).digest();
/** A number in [0, 1) that depends on the text alone. */
const share = (text) => digest(text).readUInt32BE(0) / 2 ** 32;
const splitOf = (group) => {
  const at = share(`split ${group}`);
  return at < 0.05 ? 'dev' : at < 0.1 ? 'eval' : 'train';
};
const clean = (text) => text.replace(/\s+/gu, ' ').trim();
const lines = (items) => items.map((item) => `${JSON.stringify(item)}\n`).join('');

const segmenters = new Map(
  ['en', 'ko'].map((language) => [language, new Intl.Segmenter(language, { granularity: 'sentence' })]),
);
/** The first sentence, and what follows it while it has under 40 characters. */
function firstSentence(text, language) {
  let sentence = '';
  for (const { segment } of segmenters.get(language).segment(text)) {
    sentence += segment;
    if (sentence.trim().length >= 40) break;
  }
  return clean(sentence);
}

/** Each source gives {group, query, document, text?}: text for pre-training. */
const sources = {
  async *wiki() {
    for await (const { _id, title, text } of records('general-wiki-en/corpus.jsonl.gz'))
      yield { group: `wiki ${_id}`, query: clean(title), document: firstSentence(text, 'en'), text: { title, text } };
  },
  async *wordnet() {
    for await (const { title, text } of records('general-wordnet/glosses.jsonl.gz')) {
      // Examples after the definition use the word itself.
      const gloss = clean(text.split('; "')[0]);
      yield { group: `wordnet ${title}`, query: gloss, document: clean(title), text: { title, text } };
    }
  },
  async *debian() {
    for await (const { _id, title } of records('titles-debian/titles.jsonl.gz')) {
      const group = clean(title.split(/ - |: | \(/u)[0]).toLowerCase();
      yield { group: `debian ${group}`, query: _id, document: clean(title), text: { title: _id, text: title } };
    }
  },
  async *medquad() {
    for await (const { title, focus, text } of records('medquad-titles/titles.jsonl.gz'))
      if (text) {
        const document = clean(text).slice(0, answerCharacters);
        yield { group: `medquad ${focus.toLowerCase()}`, query: clean(title), document };
      }
  },
  async *korean() {
    for await (const { _id, title, text } of records('general-wiki-ko/corpus.jsonl.gz'))
      yield { group: `korean ${_id}`, query: clean(title), document: firstSentence(text, 'ko'), text: { title, text } };
  },
};

/** Writes a BEIR folder of the pairs of dev and eval, with documents of train beside them. */
function writeCollection(folder, pairs) {
  const documents = new Map(); // text → {id, split}
  for (const { document, split, source } of pairs) {
    // Equal documents of several groups are one document; that of a held-out side counts.
    const known = documents.get(document);
    if (!known || known.split === 'train') documents.set(document, { split, source });
  }
  const order = [...documents].map(([text, about]) => ({ text, ...about, at: share(`document ${text}`) }));
  order.sort((a, b) => (a.split === 'train') - (b.split === 'train') || a.at - b.at);
  const kept = order.slice(0, Math.max(documentsOfCollection, order.filter(({ split }) => split !== 'train').length));
  kept.sort((a, b) => a.at - b.at);
  const ids = new Map(kept.map(({ text, source }, i) => [text, `${source}-${i}`]));

  const queries = new Map(); // text → {split, documents}
  for (const { query, document, split } of pairs) {
    if (!queries.has(query)) queries.set(query, { splits: new Set(), documents: new Set() });
    const entry = queries.get(query);
    entry.splits.add(split);
    if (ids.has(document)) entry.documents.add(ids.get(document));
  }
  const written = [];
  const qrels = { dev: [], eval: [] };
  for (const split of ['dev', 'eval']) {
    const own = [...queries].filter(([, { splits }]) => splits.size === 1 && splits.has(split));
    own.sort((a, b) => share(`query ${a[0]}`) - share(`query ${b[0]}`));
    for (const [text, { documents: relevant }] of own.slice(0, queriesOfSplit)) {
      const id = `${split}-${written.length}`;
      written.push({ _id: id, text });
      for (const document of relevant) qrels[split].push(`${id}\t${document}\t1\n`);
    }
  }
  mkdirSync(join(folder, 'qrels'), { recursive: true });
  writeFileSync(join(folder, 'corpus.jsonl'), lines(kept.map(({ text }) => ({ _id: ids.get(text), title: '', text }))));
  writeFileSync(join(folder, 'queries.jsonl'), lines(written));
  for (const [split, rows] of Object.entries(qrels))
    writeFileSync(join(folder, 'qrels', `${split}.tsv`), `query-id\tcorpus-id\tscore\n${rows.join('')}`);
  return { documents: kept.length, queries: written.length };
}

const train = [];
const report = {};
mkdirSync(join(options.output, 'texts'), { recursive: true });
for (const [source, read] of Object.entries(sources)) {
  const pairs = [];
  const texts = [];
  const held = new Set();
  for await (const { group, query, document, text } of read()) {
    const split = splitOf(group);
    if (query && document && query.toLowerCase() !== document.toLowerCase())
      pairs.push({ query, document, split, source });
    if (text && split === 'train') texts.push(text);
    if (split !== 'train') held.add(document);
  }
  // A text that stands in a held-out document is not trained on, whatever its own group.
  const own = pairs.filter(({ split, document }) => split === 'train' && !held.has(document));
  if (texts.length > 0) writeFileSync(join(options.output, 'texts', `${source}.jsonl.gz`), gzipSync(lines(texts)));
  const examples = own.map(({ query, document }) => ({ query, positive: document, source }));
  if (source === 'korean') writeFileSync(join(options.output, 'train-korean.jsonl'), lines(examples));
  else train.push(...examples);
  report[source] = {
    train: own.length,
    texts: texts.length,
    ...writeCollection(join(options.output, source), pairs, documentsOfCollection),
  };
}

// The titles of all English sources as one collection: the union of the collections just written.
{
  const corpus = [];
  const queries = [];
  const qrels = { dev: [], eval: [] };
  for (const source of ['wiki', 'wordnet', 'debian', 'medquad']) {
    const folder = join(options.output, source);
    const rows = (file) => readFileSync(join(folder, file), 'utf8').split('\n').filter(Boolean);
    corpus.push(...rows('corpus.jsonl'));
    queries.push(
      ...rows('queries.jsonl')
        .map((line) => JSON.parse(line))
        .map(({ _id, text }) => ({ _id: `${source}-${_id}`, text })),
    );
    for (const split of ['dev', 'eval'])
      qrels[split].push(
        ...rows(`qrels/${split}.tsv`)
          .slice(1)
          .map((row) => `${source}-${row}\n`),
      );
  }
  const folder = join(options.output, 'titles');
  mkdirSync(join(folder, 'qrels'), { recursive: true });
  writeFileSync(join(folder, 'corpus.jsonl'), `${corpus.join('\n')}\n`);
  writeFileSync(join(folder, 'queries.jsonl'), lines(queries));
  for (const [split, rows] of Object.entries(qrels))
    writeFileSync(join(folder, 'qrels', `${split}.tsv`), `query-id\tcorpus-id\tscore\n${rows.join('')}`);
  report.titles = { documents: corpus.length, queries: queries.length };
}

// The train split of scifact: claims and abstracts.
{
  const abstracts = new Map();
  for await (const { _id, title, text } of records('scifact/corpus.jsonl'))
    abstracts.set(_id, clean(`${title} ${text}`));
  const claims = new Map();
  for await (const { _id, text } of records('scifact/queries.jsonl')) claims.set(_id, text);
  let count = 0;
  for (const row of readFileSync(join(options.data, 'scifact/qrels/train.tsv'), 'utf8').split('\n').slice(1)) {
    const [qid, docid, grade] = row.trim().split('\t');
    if (!(Number(grade) > 0) || !claims.has(qid) || !abstracts.has(docid)) continue;
    train.push({ query: claims.get(qid), positive: abstracts.get(docid), source: 'scifact' });
    count++;
  }
  report.scifact = { train: count };
}

train.sort((a, b) => Buffer.compare(digest(a.query + a.positive), digest(b.query + b.positive)));
writeFileSync(join(options.output, 'train.jsonl'), lines(train));
writeFileSync(join(options.output, 'train-short.jsonl'), lines(train.slice(0, pairsOfShort)));
console.table(report);
