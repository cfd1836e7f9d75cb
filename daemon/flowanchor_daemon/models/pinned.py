# SPDX-License-Identifier: Apache-2.0
"""Files of published models as they were when their revision was pinned.

Sizes and hashes of Wan2.1 1.3B were compared between several independent records of that commit: hashes of
downloads, and the hub's own LFS object names. A mirror or a hub that serves anything else is refused.
"""

from __future__ import annotations

from flowanchor_daemon.models.manifest import Manifest, ModelFile

WAN_1_3B = Manifest(
    repository="Wan-AI/Wan2.1-T2V-1.3B-Diffusers",
    revision="0fad780a534b6463e45facd96134c9f345acfa5b",
    files=tuple(
        ModelFile(path, size, sha256)
        for path, size, sha256 in (
            ("model_index.json", 400, "b8b28e022329acf975e027579a1d2dc3de44dba28f4c909b98a880fbf5b0de7d"),
            (
                "scheduler/scheduler_config.json",
                751,
                "3fed2abbd9bbc301a74db01947198057ec5049808910dccab320925bf27bea6e",
            ),
            (
                "text_encoder/config.json",
                854,
                "4087b6192155a4643f6d29fd326c4610103130674011ef4d0a53f8bce5de967d",
            ),
            (
                "text_encoder/model-00001-of-00005.safetensors",
                4_972_389_712,
                "c0ef3a140898e228a3520c9adec60743d2e8e5b3d229651bb37f1a3921919f99",
            ),
            (
                "text_encoder/model-00002-of-00005.safetensors",
                4_899_225_672,
                "481c7b2b39771c44df6dd8d13ee12ed072d731b4a650bd092885d4d52db229ad",
            ),
            (
                "text_encoder/model-00003-of-00005.safetensors",
                4_966_309_504,
                "f93148bcc04052a169e1e49bfcf6125df6cf9bf243cb9c627da75266cf8e35c3",
            ),
            (
                "text_encoder/model-00004-of-00005.safetensors",
                4_999_880_704,
                "a451792c739c05bca4606190cc2dd16731411bac03b4cf6aacc5767321f857c9",
            ),
            (
                "text_encoder/model-00005-of-00005.safetensors",
                2_885_866_152,
                "7e76e18d224531b8197a46231cb53daf7f2f6ca707130252becf933026ac4eea",
            ),
            (
                "text_encoder/model.safetensors.index.json",
                22_476,
                "8af791f24a6447aa30c95786f40adf23d3c9df97470d2f36159c8f1113f120b4",
            ),
            (
                "tokenizer/special_tokens_map.json",
                7_079,
                "456b58fd240a06c743a7c2cf8008bec501240d68ebd1fc4018ea569505fea270",
            ),
            (
                "tokenizer/spiece.model",
                4_548_313,
                "e3909a67b780650b35cf529ac782ad2b6b26e6d1f849d3fbb6a872905f452458",
            ),
            (
                "tokenizer/tokenizer.json",
                16_837_459,
                "20a46ac256746594ed7e1e3ef733b83fbc5a6f0922aa7480eda961743de080ef",
            ),
            (
                "tokenizer/tokenizer_config.json",
                61_758,
                "1d8d2a216bf8e70ac15b7ddcea566c4dd0433c024b39a58ca5e4c66bd78defbd",
            ),
            (
                "transformer/config.json",
                465,
                "0b093fa072e9ff28763febe9b964ee582f566733a6d6709deb9dfba1bde16b81",
            ),
            (
                "transformer/diffusion_pytorch_model-00001-of-00002.safetensors",
                4_998_781_576,
                "6d011927dbd2cc8afe53d57abab04a8fd86f615d83324770d985fb058ece3a24",
            ),
            (
                "transformer/diffusion_pytorch_model-00002-of-00002.safetensors",
                677_289_072,
                "b92ec2309b1f239af6f746431815a881afcc938abb26a4f08d9a2fd6c892f872",
            ),
            (
                "transformer/diffusion_pytorch_model.safetensors.index.json",
                73_296,
                "dcbcf3497134a3f50557ff069dd7d2c84b5c4d8c5932472f6bdb780fb4016589",
            ),
            ("vae/config.json", 724, "f0c1cc1d7decb5badc384f54691746a27a9aeff49f7ebca974e583389342d527"),
            (
                "vae/diffusion_pytorch_model.safetensors",
                507_591_892,
                "d6e524b3fffede1787a74e81b30976dce5400c4439ba64222168e607ed19e793",
            ),
        )
    ),
)
