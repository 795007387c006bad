"""Summaries and pictures for people, as numbers, tables and images; how they are shown is above."""
