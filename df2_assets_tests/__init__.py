"""Tests of df2_assets, mirroring its folders."""
