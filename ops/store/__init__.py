"""Read FluxStudio's file store: which files it has, their records byte for byte, and a snapshot that proves them.

``layout``         which files a store has and what they hold
``survey``         the files of one directory, and what is worth saying about the rest
``source``         what the rest of the tool reads records from
``window`` ``parser`` ``damage`` ``wrapper`` ``splitter``  one JSON document as header, records and footer
``sqlite_tables``  rows of the SQLite file as records
``uploads``        the uploads directory as records of name, size and checksum
``records``        the records of one file of a snapshot, whatever its kind
``consistent``     copies of many files that all held at one instant
``folders``        durable, read-only folders that appear whole or not at all
``inspection``     what the copied files hold, and what is wrong with them
``manifest`` ``verification``  what a snapshot says about itself, and the proof of it
``attempt`` ``snapshot``       take, open and find snapshots
``mishaps``        errors of the operating system, in the store's words
"""
