"""The runners: one contract, and a file for each way to compute trials."""
