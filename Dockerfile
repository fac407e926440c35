# KeyPass as one file in a small image. Build: docker build -t keypass .
# Run it with no more than it needs; /data is the only place that it writes to:
#   docker run --read-only --cap-drop ALL --security-opt no-new-privileges --ulimit core=0 --stop-timeout 40 \
#     -v keypass:/data -p 8787:8787 -e KEYPASS_ORIGIN=https://keys.example keypass

FROM oven/bun:1.4.5-slim AS build
WORKDIR /keypass
COPY . .
RUN bun install --frozen-lockfile --ignore-scripts && bun run build && mkdir --mode=700 /empty

# No shell and no package manager: the C library and the certificates of public authorities.
FROM gcr.io/distroless/base-nossl-debian12:nonroot
COPY --from=build /keypass/dist/keypass /usr/local/bin/keypass
# A new named volume takes owner and mode of the folder that it is mounted on.
COPY --from=build --chown=65532:65532 /empty /data
ENV HOST=0.0.0.0 KEYPASS_DATA=/data
USER 65532:65532
WORKDIR /data
VOLUME /data
EXPOSE 8787
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["keypass", "health"]
ENTRYPOINT ["keypass"]
CMD ["serve"]
