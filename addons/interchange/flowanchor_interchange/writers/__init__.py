# SPDX-License-Identifier: Apache-2.0
"""One writer a format, each with its format's own rules.

`insert` puts a result on a new top track of the document it came from and leaves the rest of it as it is;
`write` makes a new document from the model, which carries cuts and files and says what it leaves behind.
"""
