"""What measures speed. A figure counts only beside another that was taken in the same run."""
