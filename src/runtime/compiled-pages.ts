// Only the compiled binary loads this module, and only a build makes what it exports.
export { files, manifest } from '../../dist/web/embedded.js';
