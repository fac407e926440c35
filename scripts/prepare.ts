/** What a start needs besides the packages: built once, and checked in a few milliseconds at every later start. */
import './build-web.ts';
import { buildDataDirectory } from './data-directory.ts';

await buildDataDirectory();
