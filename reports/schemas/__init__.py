"""JSON Schemas of the files that people write, for editors and programs: made from what reads them."""
