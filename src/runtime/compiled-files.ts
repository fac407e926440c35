// Only the compiled binary loads this module: `with { type: 'file' }` puts the file into it, and Deno refuses it.
import dataDirectory from '../../dist/pgdata.tar.gz' with { type: 'file' };
import initdbWasm from '../../node_modules/@electric-sql/pglite/dist/initdb.wasm' with { type: 'file' };
import pgliteData from '../../node_modules/@electric-sql/pglite/dist/pglite.data' with { type: 'file' };
import pgliteWasm from '../../node_modules/@electric-sql/pglite/dist/pglite.wasm' with { type: 'file' };

/** Where the binary's own file system has what the embedded database needs. */
export const paths = { dataDirectory, initdbWasm, pgliteData, pgliteWasm };
