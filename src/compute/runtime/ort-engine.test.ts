import { describeEngine } from './engine.suite.ts';
import { openOrtEngine } from './ort-engine.ts';

describeEngine('ort', () => openOrtEngine({ threads: 2 }));
