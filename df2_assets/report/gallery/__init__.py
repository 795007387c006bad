"""A split as one static site: garments to browse, what was refused, what the checks say.

Nothing in it needs a server or a network, and a folder that is sent to somebody works there too.
"""
