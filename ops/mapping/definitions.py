"""The tables and columns that the lens fills, after Appendix A of the store format and migration 0005, as text.

One line for each column: ``column kind[!] [=default]``. ``!`` marks NOT NULL; the default is the text the lens uses
when a document says nothing. The primary key ``id`` goes without saying. A test keeps this equal to the catalogue of a
migrated database.
"""

from __future__ import annotations

from typing import Final

DEFINITIONS: Final = {
    "users": """
        email text!
        name text!
        password_hash text
        user_type text!
        avatar_url text
        phone text
        timezone text
        preferences jsonb ={}
        oauth_provider text
        oauth_id text
        email_verified bool =false
        is_active bool =true
        last_login timestamp
        created_at timestamp
        updated_at timestamp""",
    "organizations": """
        name text!
        slug text!
        description text
        type text!
        location text
        contact_email text
        contact_phone text
        website text
        logo_url text
        settings jsonb ={}
        subscription_tier text =free
        subscription_status text =active
        billing_email text
        stripe_customer_id text
        created_by text!
        created_at timestamp
        updated_at timestamp""",
    "organization_members": """
        organization_id text!
        user_id text!
        role text!
        permissions jsonb =[]
        invited_by text
        joined_at timestamp
        is_active bool =true""",
    "teams": """
        name text!
        description text
        slug text!
        organization_id text!
        lead_id text
        settings jsonb ={}
        is_private bool =false
        created_at timestamp
        updated_at timestamp""",
    "team_members": """
        team_id text!
        user_id text!
        role text!
        permissions jsonb =[]
        joined_at timestamp
        is_active bool =true""",
    "projects": """
        name text!
        description text
        slug text!
        organization_id text!
        team_id text
        manager_id text!
        client_id text
        status text! =planning
        priority text! =medium
        project_type text!
        service_category text!
        service_tier text!
        ensemble_type text!
        budget numeric
        estimated_hours int
        actual_hours int =0
        start_date date
        due_date date
        completion_date date
        metadata jsonb ={}
        settings jsonb ={}
        tags text[] ={}
        is_template bool =false
        template_id text
        created_at timestamp
        updated_at timestamp""",
    "conversations": """
        name text
        description text
        type text!
        organization_id text
        project_id text
        team_id text
        created_by text!
        last_message_at timestamp
        metadata jsonb ={}
        settings jsonb ={}
        is_archived bool =false
        created_at timestamp
        updated_at timestamp""",
    "conversation_participants": """
        conversation_id text!
        user_id text!
        role text! =member
        joined_at timestamp
        last_read_at timestamp
        is_muted bool =false
        is_pinned bool =false""",
    "messages": """
        conversation_id text!
        author_id text!
        content text
        message_type text! =text
        priority text! =normal
        status text! =sent
        reply_to_id text
        thread_id text
        mentions text[] ={}
        attachments jsonb =[]
        metadata jsonb ={}
        edited_at timestamp
        deleted_at timestamp
        created_at timestamp""",
    "message_reactions": """
        message_id text!
        user_id text!
        reaction text!
        created_at timestamp""",
    "notifications": """
        user_id text!
        type text!
        title text!
        message text!
        data jsonb ={}
        priority text! =medium
        is_read bool =false
        read_at timestamp
        action_url text
        expires_at timestamp
        created_at timestamp""",
    "project_members": """
        project_id text!
        user_id text!
        role text!
        permissions jsonb =[]
        hourly_rate numeric
        joined_at timestamp
        is_active bool =true""",
    "project_milestones": """
        project_id text!
        name text!
        description text
        due_date date
        completed_at timestamp
        assigned_to text
        order_index int! =0
        is_required bool =true
        created_at timestamp
        updated_at timestamp""",
    "files": """
        name text!
        original_name text!
        description text
        file_path text!
        file_url text!
        thumbnail_url text
        mime_type text!
        file_size bigint!
        width int
        height int
        duration int
        pages int
        category text! =other
        status text! =draft
        version int! =1
        is_latest bool =true
        parent_file_id text
        project_id text
        organization_id text!
        uploaded_by text!
        metadata jsonb ={}
        created_at timestamp
        updated_at timestamp""",
    "file_permissions": """
        file_id text!
        user_id text
        team_id text
        permission_type text!
        granted_by text!
        granted_at timestamp""",
    "invoices": """
        invoice_number text!
        organization_id text!
        client_id text!
        project_id text
        amount numeric!
        tax_amount numeric =0
        total_amount numeric!
        currency text =USD
        status text! =draft
        due_date date
        paid_at timestamp
        stripe_invoice_id text
        stripe_payment_intent_id text
        line_items jsonb!
        notes text
        created_at timestamp
        updated_at timestamp""",
    "time_entries": """
        user_id text!
        project_id text!
        task_description text!
        hours numeric!
        billable bool =true
        hourly_rate numeric
        date date!
        start_time time
        end_time time
        created_at timestamp
        updated_at timestamp""",
    "service_packages": """
        name text!
        slug text!
        description text
        service_category text!
        service_tier text!
        base_price numeric!
        estimated_hours int
        deliverables jsonb!
        inclusions jsonb =[]
        exclusions jsonb =[]
        is_active bool =true
        created_at timestamp
        updated_at timestamp""",
    "client_requests": """
        name text!
        email text!
        phone text
        organization_name text
        ensemble_type text!
        service_category text!
        service_tier text
        project_description text
        budget_range text
        timeline text
        status text! =new
        assigned_to text
        notes text
        metadata jsonb ={}
        created_at timestamp
        updated_at timestamp""",
    "portfolios": """
        user_id text!
        title text!
        description text
        is_public bool =true
        cover_image_url text
        settings jsonb ={}
        created_at timestamp
        updated_at timestamp""",
    "portfolio_items": """
        portfolio_id text!
        project_id text
        title text!
        description text
        image_url text
        category text
        tags text[] ={}
        order_index int! =0
        is_featured bool =false
        created_at timestamp""",
    "tasks": """
        project_id text!
        title text!
        description text
        status text! =todo
        priority text! =medium
        assigned_to text
        due_date timestamp
        order_index int! =0
        tags text[] ={}
        attachments jsonb =[]
        metadata jsonb ={}
        created_by text
        created_at timestamp
        updated_at timestamp
        completed_at timestamp""",
    "task_comments": """
        project_id text!
        task_id text!
        content text!
        mentions text[] ={}
        created_by text
        author jsonb
        created_at timestamp
        updated_at timestamp""",
    "project_activities": """
        project_id text!
        type text!
        user_id text
        user_name text
        user_email text
        user_avatar text
        entity_type text
        entity_id text
        entity_title text
        action text
        metadata jsonb ={}
        created_at timestamp""",
    "team_invites": """
        team_id text!
        email text!
        role text
        invited_by text
        invited_at timestamp
        status text! =pending""",
}
