"""Language data sets in MLPerf's file formats, turned into folders of tokenised prompts."""
