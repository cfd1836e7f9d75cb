# SPDX-License-Identifier: Apache-2.0
"""The client that all hosts share; needs grpcio and protobuf alone and starts no thread."""
