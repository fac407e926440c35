/** For `<script src="…/sdk/link.js">`: the global `KeyPass`. */
import { KeyPass } from './index.ts';

Object.assign(globalThis, { KeyPass });
