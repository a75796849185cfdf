/** The entry of the process that runs one cell for `cell-process.ts`. */
import { LexrayError } from '../../util/errors.ts';
import type { CellOrder, CellReply, ToldError } from './cell-process.ts';
import { openCells } from './registry.ts';

const interruption = new AbortController();
// Who started this process decides what an interruption means.
process.on('SIGINT', () => {});
process.on('disconnect', () => process.exit());

function send(reply: CellReply): Promise<void> {
  return new Promise((resolve, reject) => {
    process.send!(reply, undefined, undefined, (error) => (error ? reject(error) : resolve()));
  });
}

async function run({ settings, options, context }: Extract<CellOrder, { kind: 'run' }>): Promise<CellReply> {
  const { signal } = interruption;
  try {
    const cells = await openCells([settings], { ...options, signal });
    const onWarning = (message: string): void => void send({ kind: 'warning', message });
    return { kind: 'result', result: await cells.run(settings, { ...context, signal, onWarning }) };
  } catch (error) {
    const { message = String(error), stack, code, where, cure, path } = error as Partial<ToldError>;
    const ours = error instanceof LexrayError;
    return { kind: 'error', error: { ours, message, stack, code, where, cure, path } };
  }
}

process.on('message', async (order: CellOrder) => {
  if (order.kind === 'interrupt') interruption.abort();
  else {
    await send(await run(order));
    process.exit();
  }
});
