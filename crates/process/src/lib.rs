//! Not an API: a layer of yamanote.
