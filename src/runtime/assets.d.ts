declare module '*.wasm' {
  const path: string;
  export default path;
}
declare module '*.data' {
  const path: string;
  export default path;
}
declare module '*.tar.gz' {
  const path: string;
  export default path;
}
declare module '*/dist/web/embedded.js' {
  export const manifest: Record<string, { file: string; type: string; hash: string; gzip?: string; br?: string }>;
  export const files: Record<string, string>;
}
