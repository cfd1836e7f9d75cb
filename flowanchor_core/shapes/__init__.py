# SPDX-License-Identifier: Apache-2.0
"""The embedded model `shapes`: its little world, its training recipe, its weights.

The world (`world`) draws moving coloured shapes with exact masks and exact target renderings, so that an
edit's success can be measured instead of judged. `captions` words a scene, `tokenizer` cuts the words,
`modules` holds the sizes of the stock Wan classes, `training` makes the weights, `gates` decides whether they
may be shipped.
"""
