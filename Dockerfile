# The image for CI jobs: the static program, git, CA certificates, and what the central template of ci-templates/gitlab uses (curl, jq).
# Not root. A release puts the programs into dist/ by their targets; to build one by hand:
#   cargo build --release --locked --target x86_64-unknown-linux-musl
#   install -D target/x86_64-unknown-linux-musl/release/tribune dist/image/amd64/tribune && docker build .
# A release builds from the digest that this tag has then, and writes it on the image as org.opencontainers.image.base.digest.
ARG BASE=docker.io/library/alpine:3.22
# hadolint ignore=DL3006
FROM ${BASE}

# hadolint ignore=DL3018
RUN apk add --no-cache ca-certificates curl git jq openssh-client-default \
    && adduser -D -u 10001 tribune

ARG TARGETARCH
COPY --chmod=755 dist/image/${TARGETARCH}/tribune /usr/local/bin/tribune

USER 10001:10001
WORKDIR /home/tribune
# A CI runner starts a shell of its own.
CMD ["tribune", "--help"]
