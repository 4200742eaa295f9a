/** What everything has in Kong, and nothing depends on. */
export const labels = ['id', 'tags', 'created_at', 'updated_at']
