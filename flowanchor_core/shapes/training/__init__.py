# SPDX-License-Identifier: Apache-2.0
"""The recipe that makes the embedded model's weights, one resumable command: `python -m
flowanchor_core.shapes.training`.

Stages, in order: `vae` (autoencoder), `latents` (encode a pool of clips), `text` (binding pre-training of the
text encoder), `transformer` (images, then clips), `export` (write the diffusers folder that ships).
"""
