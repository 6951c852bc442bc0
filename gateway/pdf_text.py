"""Read the words of a PDF: ``python -m gateway.pdf_text < report.pdf``. A process of its own, with limits.

Ends with 0 and the text on standard output, 3 when the file is locked with a password, 4 when it cannot be read.
"""

from __future__ import annotations

import io
import logging
import resource
import sys

MEMORY = 1024**3
SECONDS = 12
PAGES = 60
CHARACTERS = 200_000


def main() -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    logging.disable()

    from pypdf import PdfReader
    from pypdf.errors import FileNotDecryptedError

    try:
        reader = PdfReader(io.BytesIO(sys.stdin.buffer.read()))
        if reader.is_encrypted and not reader.decrypt(""):
            return 3
        found: list[str] = []
        for page in reader.pages[:PAGES]:
            found.append(page.extract_text())
            if sum(map(len, found)) > CHARACTERS:
                break
    except FileNotDecryptedError:
        return 3
    except Exception:  # whatever a broken or hostile file makes the reader do, it is the file that cannot be read
        return 4
    sys.stdout.buffer.write("\n".join(found)[:CHARACTERS].encode(errors="ignore"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
