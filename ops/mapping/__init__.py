"""The lens between the application's JSON documents and the rows of the database, in both directions.

``columns``    which tables and columns there are, and of which type
``definitions``
               the same as text, one line for each column
``json_text``  documents as text: decoding without loss, encoding as the application's server does
``values``     one JSON value to one column's text, and back
``sanitizer``  the application's HTML escaping and its inverse
``identity``   ids that have to be invented, always the same ones
``facts``      what a record must know about other records, gathered in one pass over the source
``lens``       the lens itself: shapes, ``get``, ``put`` and their laws
``users`` ``core`` ``projects`` ``project_files`` ``messaging`` ``conversations`` ``billing`` ``client_requests``
``portfolios`` ``preserved``
               the entities, each with both directions side by side
``patches``    what a document says beside its own fields: changes that those have no word for
``registry``   which lens reads which entity, and the rows no record holds by itself
"""
