/**
 * sentence-transformers' Router: one way for queries and another for documents.
 *
 *     modules.json         one module, of type Router
 *     router_config.json   {"types": {"query_0_SparseStaticEmbedding": "PYTHON.CLASS", …},
 *                           "structure": {"query": ["query_0_SparseStaticEmbedding"],
 *                                         "document": ["document_0_MLMTransformer", "document_1_SpladePooling"]},
 *                           "parameters": {"default_route": "document", "allow_empty_key": true, "route_mappings": {}}}
 *     query_0_…/  document_0_…/  document_1_…/
 *
 * The names in `types` are folders; the empty name, which OpenSearch's models have, is the model folder itself. 5.0 and 6.2
 * differ in the names of classes and folders, and in `route_mappings`.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { badInput } from '../../util/errors.ts';
import type { OpenCheckpointOptions } from '../checkpoint.ts';
import type { ModelShape } from '../families/model-family.ts';
import { quote } from '../json-cursor.ts';
import { checkJson, readJson } from '../read-json.ts';
import {
  type EncoderModules,
  encoderOf,
  moduleKind,
  type NamedModule,
  openEncoderModules,
  type StoredEncoder,
} from './encoder-modules.ts';
import { pathInside } from './module-path.ts';
import { openStaticEmbedding, type StaticEmbedding } from './static-embedding.ts';

/** Name of the file that lists the ways. */
export const routerFileName = 'router_config.json';

/** How the queries of a model are encoded. */
export type QuerySide =
  /** As the documents are. */
  | { readonly kind: 'shared' }
  /** By a masked language model of their own. */
  | ({ readonly kind: 'encoder' } & EncoderModules)
  /** By a table of token weights, without a model. */
  | ({ readonly kind: 'static' } & StaticEmbedding);

/** Both sides of a Router. */
export interface RouterSides {
  readonly document: EncoderModules;
  readonly query: QuerySide;
}

interface StoredRouter {
  readonly types: Readonly<Record<string, string>>;
  readonly structure: Readonly<Record<string, readonly string[]>>;
  readonly parameters?: { readonly route_mappings?: Readonly<Record<string, unknown>> | null | undefined } | undefined;
}

const name = z.string().max(1000);
const schema: z.ZodType<StoredRouter> = z.looseObject({
  types: z.record(name, name).refine((types) => Object.keys(types).length <= 64, { error: 'more than 64 modules' }),
  structure: z.record(name, z.array(name).max(16)),
  parameters: z.looseObject({ route_mappings: z.record(z.string(), z.unknown()).nullish() }).optional(),
});

const staticKind = 'SparseStaticEmbedding';

/**
 * Opens both sides of a Router.
 * @param model the model folder
 * @param folder of the Router in it
 * @throws LexrayError BAD_INPUT when a file does not fit, a module is not supported, a path leaves the folder, or the two
 * sides have different vocabularies
 */
export async function openRouter(model: string, folder: string, options: OpenCheckpointOptions): Promise<RouterSides> {
  const where = join(folder, routerFileName);
  const router = checkJson(schema, await readJson(where), where);
  if (Object.keys(router.parameters?.route_mappings ?? {}).length > 0) {
    throw badInput(`${where} has route_mappings; Lexray supports the routes "query" and "document" by their names`, {
      where,
      cure: 'save the model with Router.for_query_document',
    });
  }
  const others = Object.keys(router.structure).filter((route) => route !== 'query' && route !== 'document');
  if (others.length > 0) options.onWarning?.(`${where}: the routes ${others.map(quote).join(', ')} are not used`);

  const documentModules = await modulesOf('document');
  const queryModules = await modulesOf('query');
  const queryEncoder = isStatic(queryModules, where) ? undefined : encoderOf(queryModules, where, [staticKind]);
  const document = await openEncoderModules(encoderOf(documentModules, where), options);
  try {
    const query = await openQuerySide(queryModules, queryEncoder);
    return { document, query };
  } catch (error) {
    await document.checkpoint.close();
    throw error;
  }

  async function modulesOf(route: string): Promise<NamedModule[]> {
    const ids = Object.hasOwn(router.structure, route) ? router.structure[route]! : [];
    if (ids.length === 0) {
      const routes = Object.keys(router.structure).map(quote).join(', ');
      throw badInput(`${where} has no route ${quote(route)}, only: ${routes || 'none'}`, {
        where,
        cure: 'Lexray supports models with the routes "query" and "document"',
      });
    }
    const modules: NamedModule[] = [];
    for (const id of ids) {
      if (!Object.hasOwn(router.types, id)) {
        throw badInput(`${where}: the route ${quote(route)} names the module ${quote(id)}, of which there is no type`, {
          where,
        });
      }
      modules.push({ type: router.types[id]!, folder: await pathInside(model, folder, id, where) });
    }
    return modules;
  }

  async function openQuerySide(
    modules: readonly NamedModule[],
    encoder: StoredEncoder | undefined,
  ): Promise<QuerySide> {
    const { vocabularySize, ownTerms } = shapeOf(document);
    if (encoder === undefined) {
      if (ownTerms) {
        throw badInput(
          'queries by token weights have the dimensions of tokens, documents those of an output vocabulary',
          {
            where,
            cure: 'use an encoder for the queries too',
          },
        );
      }
      return { kind: 'static', ...(await openStaticEmbedding(modules[0]!.folder, model, vocabularySize)) };
    }
    if (modules.every((module, i) => module.folder === documentModules[i]!.folder)) return { kind: 'shared' };
    const opened = await openEncoderModules(encoder, options);
    const { vocabularySize: width } = shapeOf(opened);
    if (width === vocabularySize) return { kind: 'encoder', ...opened };
    await opened.checkpoint.close();
    throw badInput(`queries have ${width} dimensions and documents ${vocabularySize}`, {
      where,
      cure: 'queries and documents must share a vocabulary',
    });
  }
}

function shapeOf({ checkpoint: { family, config } }: EncoderModules): ModelShape {
  return family.shape(config);
}

function isStatic(modules: readonly NamedModule[], where: string): boolean {
  const [first, second] = modules;
  if (first === undefined || moduleKind(first) !== staticKind) return false;
  if (second === undefined) return true;
  throw badInput(`${where} has ${quote(second.type)} where Lexray supports nothing after ${staticKind}`, {
    where,
    cure: `use a model whose queries go through ${staticKind} alone`,
  });
}
