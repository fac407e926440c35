import { isAbsent, type JsonObject, listAt, memberAt, textAt } from '../../money/json.ts';
import { usageFromGeminiEmbed } from '../../money/usage-gemini.ts';
import type { OpenAiEmbeddings } from '../../providers/index.ts';
import type { Addressed } from './address.ts';
import { completionUsage } from './completion.ts';
import { googleName } from './exchange.ts';
import { unreadable } from './failures.ts';
import { underNames } from './openai.ts';
import { malformed, unsupported } from './refusal.ts';

/** What OpenAI's embeddings request is at another provider: a listed endpoint, its body, and the way back. */
interface EmbeddingsExchange {
  readonly path: string;
  readonly body: JsonObject;
  /** The answer in OpenAI's shape. Throws `provider_error` for what is none. */
  whole(answer: JsonObject): JsonObject;
}

/**
 * Throws `unsupported_parameter`: with `model` for a provider without embeddings, else with the parameter that it lacks;
 * and `invalid_request`. https://platform.openai.com/docs/api-reference/embeddings/create
 */
export function embeddingsFor(addressed: Addressed): EmbeddingsExchange {
  const { embeddings, name } = addressed.provider;
  if (embeddings === undefined) throw unsupported('model', `${name} has no embeddings that KeyPass could ask for.`);
  return embeddings.shape === 'google' ? googleExchange(addressed) : openAiExchange(addressed, embeddings);
}

/** Vectors are asked for as numbers, which all of them know, and written as the app wants them. */
function openAiExchange({ model, body }: Addressed, rules: OpenAiEmbeddings): EmbeddingsExchange {
  if (rules.isExact === true) return { path: rules.path, body, whole: (answer) => answer };
  const { encoding_format: format, ...others } = stated(body);
  const write = writerOf(format);
  return {
    path: rules.path,
    body: underNames(rules.names, others),
    whole: (answer) => {
      if (!Array.isArray(answer['data'])) throw unreadable();
      const data = listAt(answer, 'data').map((item, position) => {
        const index = memberAt(item, 'index') ?? position;
        return { object: 'embedding', index, embedding: write(memberAt(item, 'embedding')) };
      });
      return { ...answer, object: 'list', data, model: textAt(answer, 'model') ?? model };
    },
  };
}

/** Each input is a request of its own in one call. https://ai.google.dev/api/embeddings#method:-models.batchembedcontents */
function googleExchange({ model, body }: Addressed): EmbeddingsExchange {
  const { model: _, input, dimensions, encoding_format: format, ...others } = stated(body);
  const [other] = Object.keys(others);
  if (other !== undefined) throw unsupported(other, 'Google has no such parameter. Leave it out.');
  if (dimensions !== undefined && !(Number.isSafeInteger(dimensions) && Number(dimensions) > 0)) {
    throw malformed('dimensions', 'a whole number of at least 1');
  }
  const name = googleName(model);
  const size = dimensions === undefined ? {} : { outputDimensionality: dimensions };
  const texts = textsOf(input);
  const write = writerOf(format);
  return {
    path: `/v1beta/models/${name}:batchEmbedContents`,
    body: { requests: texts.map((text) => ({ model: `models/${name}`, content: { parts: [{ text }] }, ...size })) },
    whole: (answer) => {
      const vectors = listAt(answer, 'embeddings');
      if (vectors.length !== texts.length) throw unreadable();
      const embeddings = vectors.map((vector) => write(memberAt(vector, 'values')));
      const data = embeddings.map((embedding, index) => ({ object: 'embedding', index, embedding }));
      return { object: 'list', data, model: name, ...usageOf(answer) };
    },
  };
}

function usageOf(answer: JsonObject): JsonObject {
  const usage = usageFromGeminiEmbed(answer);
  if (usage === undefined) return {};
  const { prompt_tokens } = completionUsage(usage);
  return { usage: { prompt_tokens, total_tokens: prompt_tokens } };
}

function textsOf(input: unknown): string[] {
  const inputs: unknown[] = Array.isArray(input) ? input : [input];
  if (inputs.length === 0) throw malformed('input', 'a text or a list of at least one');
  return inputs.map((one) => {
    if (typeof one === 'string') return one;
    const isTokens = typeof one === 'number' || Array.isArray(one);
    if (isTokens)
      throw unsupported('input', "Tokens are of OpenAI's vocabulary, which Google does not have. Send texts.");
    throw malformed('input', 'a text or a list of texts');
  });
}

/** A vector as the app asked for it: a list, or the base64 of its floats with 32 bits, the lowest byte first. */
function writerOf(format: unknown): (vector: unknown) => readonly number[] | string {
  if (format !== undefined && format !== 'float' && format !== 'base64') {
    throw malformed('encoding_format', 'float or base64');
  }
  return (vector) => {
    if (!isVector(vector)) throw unreadable();
    return format === 'base64' ? base64Of(vector) : vector;
  };
}

function isVector(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((number) => typeof number === 'number');
}

function base64Of(vector: readonly number[]): string {
  const view = new DataView(new ArrayBuffer(vector.length * 4));
  vector.forEach((number, index) => view.setFloat32(index * 4, number, true));
  return new Uint8Array(view.buffer).toBase64();
}

/** Not every provider takes null for an absent member. */
function stated(body: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => !isAbsent(value)));
}
