# fleetphoto's image: one static binary and the certificate authorities, all root's. The server alone writes, below /fleetphoto-data.
#
#   docker build -t fleetphoto .                        compiles in golang:1.26
#   .ci/build-image fleetphoto                          takes a binary that this machine's Go compiled; pulls nothing
#
# What both have in common comes first, and the stage with Go last: builders without BuildKit run every stage up to
# the target, and so --target prebuilt ends before the only image that a registry must have.

FROM scratch AS runtime
# .git in the build context gives the version its commit.
LABEL org.opencontainers.image.title="fleetphoto" \
      org.opencontainers.image.description="The call through which a taxi fleet's systems change a customer's photograph" \
      org.opencontainers.image.source="https://github.com/fleetphoto/fleetphoto" \
      org.opencontainers.image.licenses="Apache-2.0"
# Relative paths, such as the default database's, are below /, and the admin port is reached by probes from outside:
# publish it to nobody else.
ENV FLEETPHOTO_ADMIN_ADDR=:8081
WORKDIR /
EXPOSE 8080 8081
USER 65532:65532
HEALTHCHECK --interval=10s --timeout=6s --start-period=60s CMD ["/fleetphoto", "healthcheck"]
ENTRYPOINT ["/fleetphoto"]
CMD ["serve"]

# dist/ is as the stage build makes it; a release for several platforms has each one's binary apart, as in linux/amd64/.
# Builders without BuildKit come by here on their way to the end as well, with neither: the patterns let them, as long as
# something else is copied.
FROM runtime AS prebuilt
ARG TARGETPLATFORM
COPY LICENSE dist* ${TARGETPLATFORM:-dist}* /
# An archive, as it says whose its folder is: a new volume takes over the owner of the folder that it covers.
ADD LICENSE data.tar* /
VOLUME /fleetphoto-data

FROM golang:1.26.8@sha256:3c3e25a4da13fd0478eed2df1eb35a0e667094a7124d3993a6a1d30f71c17e79 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN mkdir -p /data/fleetphoto-data /dist/etc/ssl/certs \
 && cp LICENSE /dist/ \
 && cp /etc/ssl/certs/ca-certificates.crt /dist/etc/ssl/certs/ \
 && CGO_ENABLED=0 go build -trimpath -tags disable_grpc_modules -ldflags "-s -w" -o /dist/fleetphoto ./app/fleetphoto

FROM runtime
COPY --from=build /dist /
COPY --from=build --chown=65532:65532 /data /
VOLUME /fleetphoto-data
