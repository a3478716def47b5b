FROM --platform=$BUILDPLATFORM golang:1.26 AS build
ARG TARGETOS
ARG TARGETARCH
ARG VERSION=dev
ARG COMMIT=unknown
WORKDIR /src
COPY . .
# The image's own Go, never a download.
ENV CGO_ENABLED=0 GOTOOLCHAIN=local GOCACHE=/go/build
RUN --mount=type=cache,target=/go/pkg/mod \
    --mount=type=cache,target=/go/build \
    GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -buildvcs=false \
      -ldflags="-s -w -X main.version=$VERSION -X main.commit=$COMMIT" \
      -o /rootfs/usr/bin/vlens-archiver ./cmd/vlens-archiver
# Run files are written in /tmp before they go to the bucket.
RUN mkdir -p /rootfs/etc/ssl/certs && \
    cp /etc/ssl/certs/ca-certificates.crt /rootfs/etc/ssl/certs/ && \
    mkdir -m 1777 /rootfs/tmp

FROM scratch
ARG VERSION=dev
ARG COMMIT=unknown
LABEL org.opencontainers.image.title="vlens-archiver" \
      org.opencontainers.image.description="Copies Vlens onboarding evidence into your own S3 bucket and proves that it is complete and unchanged." \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$COMMIT"
COPY --from=build /rootfs/ /
USER 65532:65532
ENTRYPOINT ["/usr/bin/vlens-archiver"]
